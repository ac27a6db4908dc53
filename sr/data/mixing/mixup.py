"""Blending two images of a batch."""

import numpy as np
from torch import Tensor

from sr.data.mixing.regions import Images, others


class MixUp:
    """share * image + (1 - share) * another one, for LR and HR alike, with share ~ Beta(alpha, alpha).

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018, sec. 2; for super-resolution Yoo et
    al., CVPR 2020, sec. 3, with alpha = 1.2. A blend of LR images is the LR of the blended HR images as far as the
    degradation is linear.

    Args:
        alpha: the evenness of the shares, above 0: near 0 one image hides the other, 1 is uniform, more is nearer to
            half.

    Raises:
        ValueError: `alpha` is 0 or less.
    """

    needs_others = True

    def __init__(self, *, alpha: float = 1.2) -> None:
        if alpha <= 0:
            raise ValueError(f"alpha={alpha} of MixUp must be positive")
        self.alpha = alpha

    def __call__(self, images: Images, *, rng: np.random.Generator) -> dict[str, Tensor]:
        share = float(rng.beta(self.alpha, self.alpha))
        partners = others(images, rng=rng)
        return {name: share * image + (1 - share) * partners[name] for name, image in images.items()}
