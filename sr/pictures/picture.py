"""The header of a picture, and the picture itself: colour, alpha and profile apart."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


class UnreadableImageError(ValueError):
    """A file that is not an image, is truncated or damaged, or holds pixels that cannot be used."""


@dataclass(frozen=True)
class Header:
    """The properties of a picture that its file states, before it is decoded.

    Attributes:
        height: the height in pixels of the picture turned upright.
        width: its width.
        bands: the number of bands without alpha: 1 is gray, 3 is RGB, any other number is as stored.
        alpha: whether there is transparency.
        depth: the bytes of a value: 1 or 2, and 4 of a float.
        orientation: the orientation in EXIF, 1 to 8; with 1 the picture is stored upright.
        palette: whether the file stores indices into a table of colours.
        notes: one phrase for everything that reading skips, changes or guesses.
        kind: the kind of a value as NumPy names it: `u` unsigned, `i` signed, `f` float.
        nodata: the value of pixels without data, as GDAL states it; None where the file states none.
        georeferenced: whether the file says where on Earth it lies.
    """

    height: int
    width: int
    bands: int
    alpha: bool
    depth: int
    orientation: int = 1
    palette: bool = False
    notes: tuple[str, ...] = ()
    kind: str = "u"
    nodata: float | None = None
    georeferenced: bool = False

    @property
    def dtype(self) -> np.dtype:
        """The type of a value: uint8, uint16, int16 or float32."""
        return np.dtype(f"{self.kind}{self.depth}")

    def conversions(self, channels: int) -> Iterator[str]:
        """The differences between the file and a plain 8-bit image, and what `read_image` does about them."""
        if self.depth == 2 and self.kind == "u":
            yield "16 bit: used as such"
        if self.kind != "u":
            yield f"{self.dtype}: used as such"
        if self.nodata is not None:
            yield "states a no-data value: pixels of this value have no share in losses and metrics"
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
    """A decoded picture, upright.

    Attributes:
        colour: (H, W, bands) uint8, uint16, int16 or float32: one band is gray, three are RGB.
        alpha: (H, W, 1) of the same dtype, where 0 is transparent; None without transparency. Only unsigned pictures
            have one.
        icc: the colour profile of `colour`, as stored; None without one.
        notes: one phrase for everything that reading skipped, changed or guessed.
        nodata: the value of pixels without data; None where the file states none. NaN is no data in any case.
        georeferenced: whether the file said where on Earth it lies, which no picture keeps.
    """

    colour: np.ndarray
    alpha: np.ndarray | None = None
    icc: bytes | None = None
    notes: tuple[str, ...] = ()
    nodata: float | None = None
    georeferenced: bool = False

    @property
    def nbytes(self) -> int:
        return self.colour.nbytes + (self.alpha.nbytes if self.alpha is not None else 0)
