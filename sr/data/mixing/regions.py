"""What several mixes need: another image for each, and boxes that lie on the same place in LR and HR."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

Images = Mapping[str, Tensor]


@dataclass(frozen=True)
class Box:
    """A rectangle in LR pixels."""

    top: int
    left: int
    height: int
    width: int

    def slices(self, *, factor: int) -> tuple[slice, slice]:
        """Its rows and columns in images that are `factor` times as large as LR."""
        rows, columns = (
            slice(start * factor, (start + length) * factor)
            for start, length in ((self.top, self.height), (self.left, self.width))
        )
        return rows, columns

    def paste(self, images: Images, pieces: Images) -> dict[str, Tensor]:
        """Copies of the images, by name, in which this box holds what the pieces hold there.

        Args:
            images: (N, C, H, W) by name, "lr" among them.
            pieces: (N, C, H, W) by name, as large as the images, or as the box in them.
        """
        pasted = {}
        for name, image in images.items():
            rows, columns = self.slices(factor=factor_of(image, images))
            piece = pieces[name]
            pasted[name] = image.clone()
            pasted[name][..., rows, columns] = (
                piece[..., rows, columns] if piece.shape == image.shape else piece
            )
        return pasted


def factor_of(image: Tensor, images: Images) -> int:
    """How many times as large as LR an image is."""
    return int(image.shape[-1] // images["lr"].shape[-1])


def place_box(lr: Tensor, *, height: int, width: int, rng: np.random.Generator) -> Box:
    """A box of this size, every place of which within LR is equally likely."""
    top, left = (
        int(rng.integers(whole - part + 1))
        for whole, part in zip(lr.shape[-2:], (height, width), strict=True)
    )
    return Box(top, left, height, width)


def draw_sides(lr: Tensor, *, smallest: float, largest: float, rng: np.random.Generator) -> tuple[int, int]:
    """Height and width in LR pixels of a box with the same share of both sides of LR, from `smallest` to `largest`."""
    share = rng.uniform(smallest, largest)
    height, width = (max(int(share * side), 1) for side in lr.shape[-2:])
    return height, width


def check_shares(smallest: float, largest: float, *, of: str) -> None:
    """Raises ValueError unless 0 < smallest <= largest <= 1; `of` names the mix."""
    if not 0 < smallest <= largest <= 1:
        raise ValueError(
            f"smallest={smallest} and largest={largest} of {of} must be shares of the side of a patch, with"
            " 0 < smallest <= largest <= 1"
        )


def others(images: Images, *, rng: np.random.Generator) -> dict[str, Tensor]:
    """For every image another one of its batch: the batch turned by a random number of places, never by none."""
    places = int(rng.integers(1, len(images["lr"])))
    return {name: image.roll(places, dims=0) for name, image in images.items()}
