"""A box of one image in another one."""

import numpy as np
from torch import Tensor

from sr.data.mixing.regions import Images, check_shares, draw_sides, others, place_box


class CutMix:
    """In every image a box is replaced by the same box of another one, in LR and HR alike.

    Source: Yun et al., "CutMix", ICCV 2019, sec. 3.1; for super-resolution Yoo et al., CVPR 2020, sec. 3, whose box has
    0.7 of the side of the patch. Its corners lie between LR pixels, so HR has the edge exactly where LR has it.

    Args:
        smallest: the smallest side of the box, as a share of the side of the patch, above 0.
        largest: the largest one, up to 1; sides between the two are equally likely.

    Raises:
        ValueError: the shares are out of their range.
    """

    needs_others = True

    def __init__(self, *, smallest: float = 0.7, largest: float = 0.7) -> None:
        check_shares(smallest, largest, of="CutMix")
        self.smallest, self.largest = smallest, largest

    def __call__(self, images: Images, *, rng: np.random.Generator) -> dict[str, Tensor]:
        lr = images["lr"]
        height, width = draw_sides(lr, smallest=self.smallest, largest=self.largest, rng=rng)
        box = place_box(lr, height=height, width=width, rng=rng)
        return box.paste(images, others(images, rng=rng))
