"""A whole image, made smaller, in another one."""

import numpy as np
from torch import Tensor

from sr.data.mixing.regions import (
    Images,
    check_shares,
    draw_sides,
    factor_of,
    others,
    place_box,
)
from sr.ops.resize_tensors import imresize_batch


class ResizeMix:
    """In every image a box is replaced by the whole of another one, shrunk to the box, in LR and HR alike.

    Source: Qin et al., "ResizeMix: Mixing Data with Preserved Object Information and True Labels", 2020, sec. 3, where
    the side of the box is 0.1 to 0.8 of the patch. LR and HR are shrunk by exactly the same factor, with antialiased
    bicubic interpolation, and clamped to [0, 1]. Shrinking takes noise, blocks and blur of LR away in part, so a shrunk
    pair has a milder degradation than the others.

    Args:
        smallest: the smallest side of the box, as a share of the side of the patch, above 0.
        largest: the largest one, up to 1; sides between the two are equally likely.

    Raises:
        ValueError: the shares are out of their range.
    """

    needs_others = True

    def __init__(self, *, smallest: float = 0.1, largest: float = 0.8) -> None:
        check_shares(smallest, largest, of="ResizeMix")
        self.smallest, self.largest = smallest, largest

    def __call__(self, images: Images, *, rng: np.random.Generator) -> dict[str, Tensor]:
        height, width = draw_sides(images["lr"], smallest=self.smallest, largest=self.largest, rng=rng)
        box = place_box(images["lr"], height=height, width=width, rng=rng)
        shrunk = {}
        for name, image in others(images, rng=rng).items():
            factor = factor_of(image, images)
            shrunk[name] = imresize_batch(image, size=(height * factor, width * factor)).clamp(0, 1)
        return box.paste(images, shrunk)
