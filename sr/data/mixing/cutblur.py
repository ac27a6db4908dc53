"""A box of LR without degradation."""

import numpy as np
from torch import Tensor

from sr.data.mixing.regions import Images, check_shares, draw_sides, place_box
from sr.ops.resize_tensors import imresize_batch


class CutBlur:
    """In LR a box, or everything outside of it, is replaced by HR that is only made smaller; HR stays as it is.

    Yoo et al., "Rethinking Data Augmentation for Image Super-resolution", CVPR 2020, sec. 3, enlarge LR to the size of
    HR and exchange a box of it with HR (or all but the box, each half of the time), so that the net learns where, and
    how much, to super-resolve. A net that takes LR in its own size cannot see pixels of HR. So the box holds HR made as
    small as LR, as in traiNNer-redux: LR without blur, noise and compression. It is made by antialiased bicubic
    interpolation and rounded to 8 bits. Where LR is made by that alone, nothing changes. The HR is the "target" where
    there is one, since LR is made from it.

    Args:
        smallest: the smallest side of the box, as a share of the side of the patch, above 0.
        largest: the largest one, up to 1; sides between the two are equally likely.

    Raises:
        ValueError: the shares are out of their range.
    """

    needs_others = False

    def __init__(self, *, smallest: float = 0.7, largest: float = 0.7) -> None:
        check_shares(smallest, largest, of="CutBlur")
        self.smallest, self.largest = smallest, largest

    def __call__(self, images: Images, *, rng: np.random.Generator) -> dict[str, Tensor]:
        lr = images["lr"]
        height, width = draw_sides(lr, smallest=self.smallest, largest=self.largest, rng=rng)
        box = place_box(lr, height=height, width=width, rng=rng)
        inside = rng.random() < 0.5
        sharp = images.get("target", images["hr"])
        clean = (imresize_batch(sharp, size=(lr.shape[-2], lr.shape[-1])).clamp(0, 1) * 255).round() / 255
        whole, piece = (lr, clean) if inside else (clean, lr)
        return {**images, **box.paste({"lr": whole}, {"lr": piece})}
