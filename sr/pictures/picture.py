"""What a file says of its picture, and the picture itself: colour, alpha and profile apart."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


class UnreadableImageError(ValueError):
    """A file that is no image, is truncated or damaged, or holds pixels that cannot be used."""


@dataclass(frozen=True)
class Header:
    """What a file says of its picture before it is decoded.

    Attributes:
        height, width: the size in pixels of the picture turned upright.
        bands: 1 gray, 3 RGB, any other number as stored; alpha is not counted.
        alpha: whether there is transparency.
        depth: bytes of a value, 1 or 2.
        orientation: EXIF's, 1 to 8; the picture is stored upright with 1.
        palette: whether the file stores numbers of colours.
        notes: one phrase for everything that reading skips, changes or guesses.
    """

    height: int
    width: int
    bands: int
    alpha: bool
    depth: int
    orientation: int = 1
    palette: bool = False
    notes: tuple[str, ...] = ()

    @property
    def bytes_per_pixel(self) -> int:
        """Of the decoded picture, alpha counted."""
        return (self.bands + self.alpha) * self.depth

    def conversions(self, channels: int) -> Iterator[str]:
        """How the file differs from plain 8-bit images, and what `read_image` makes of it."""
        if self.depth == 2:
            yield "16 bit: used as such"
        if self.alpha and channels in (1, 3):
            yield "transparent: laid on white"
        if self.palette:
            yield "palette: becomes colour"
        if self.bands == 1 and channels == 3:
            yield "gray: becomes three equal channels"
        if self.bands == 3 and channels == 1:
            yield "colour: becomes gray"
        if self.orientation != 1:
            yield "orientation: turned upright"
        yield from self.notes


@dataclass(frozen=True)
class Picture:
    """What a file shows, upright.

    Attributes:
        colour: (H, W, bands) uint8 or uint16: one band is gray, three are RGB.
        alpha: (H, W, 1) of the same dtype, 0 is transparent; None if there is none.
        icc: the colour profile that `colour` is meant in, as stored.
        notes: one phrase for everything that reading skipped, changed or guessed.
    """

    colour: np.ndarray
    alpha: np.ndarray | None = None
    icc: bytes | None = None
    notes: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        return self.colour.nbytes + (self.alpha.nbytes if self.alpha is not None else 0)
