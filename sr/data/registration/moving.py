"""HR moved onto the grid of LR, and what the two then have in common."""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from scipy import ndimage

from sr.ops.no_data import filled

WHOLE = 0.1  # HR pixels; a movement that is so near a whole number of them is taken as whole


@dataclass(frozen=True)
class Span:
    """What becomes of one axis of a pair.

    Attributes:
        start: the first LR pixel that is kept.
        count: the number of LR pixels that are kept.
        origin: the place in HR, in its pixels, that the first HR pixel is taken from.
        scale: the HR pixels of an LR pixel.
    """

    start: int
    count: int
    origin: float
    scale: int

    @property
    def between(self) -> bool:
        """Whether its pixels are taken from places between those of HR."""
        return not self.origin.is_integer()


def span(shift: float, *, hr: int, lr: int, scale: int) -> Span:
    """The part of an axis that LR and the moved HR have in common, in whole LR pixels.

    Args:
        shift: the LR pixels by which the content of LR lies further down or right than that of HR.
        hr: the length of HR in pixels.
        lr: the length of LR in pixels.
        scale: the HR pixels of an LR pixel.

    Raises:
        ValueError: they have nothing in common.
    """
    move = shift * scale
    if abs(move - round(move)) < WHOLE:
        move = float(round(move))
    start = max(ceil(move / scale), 0)
    stop = min(floor((hr + move) / scale), lr)
    if stop <= start:
        raise ValueError(f"a shift of {shift:g} LR pixels leaves nothing of {lr} in common")
    return Span(start, stop - start, start * scale - move, scale)


def cropped(image: np.ndarray, rows: Span, columns: Span) -> np.ndarray:
    """The part of LR that is kept: (h, w, C) or (h, w) -> (rows.count, columns.count, ...), a view."""
    return image[rows.start : rows.start + rows.count, columns.start : columns.start + columns.count]


def moved(image: np.ndarray, rows: Span, columns: Span) -> np.ndarray:
    """HR on the grid of LR: (H, W, C) -> (rows.count * scale, columns.count * scale, C) of the same type.

    A movement by whole HR pixels cuts the image and changes no value. Any other one resamples it by cubic splines,
    which blur less than other kernels of their length (Thévenaz, Blu and Unser, "Interpolation revisited", IEEE TMI
    2000); values are rounded and clipped to the type.
    """
    if not (rows.between or columns.between):
        return _cut(image, int(rows.origin), int(columns.origin), rows, columns)
    top, left = floor(rows.origin), floor(columns.origin)
    result = np.empty((rows.count * rows.scale, columns.count * columns.scale, image.shape[2]), image.dtype)
    for band in range(image.shape[2]):
        plane = image[:, :, band].astype(np.float32)
        rest = (top - rows.origin, left - columns.origin)
        shifted = ndimage.shift(plane, rest, order=3, mode="reflect")
        result[:, :, band] = as_type(_cut(shifted, top, left, rows, columns), image.dtype)
    return result


def moved_mask(valid: np.ndarray, rows: Span, columns: Span) -> np.ndarray:
    """Where the moved HR has data: (H, W, C) bool, for a pixel between others where all of them have."""
    top, left = floor(rows.origin), floor(columns.origin)
    result = _cut(valid, top, left, rows, columns).copy()
    for down, right in ((rows.between, False), (False, columns.between), (rows.between, columns.between)):
        if down or right:
            result &= _cut(valid, top + down, left + right, rows, columns)
    return result


def moved_with_data(
    image: np.ndarray, valid: np.ndarray, rows: Span, columns: Span
) -> tuple[np.ndarray, np.ndarray]:
    """`moved` and `moved_mask` of an image that lacks data, of which nothing gets into its neighbours."""
    return moved(filled(image, valid), rows, columns), moved_mask(valid, rows, columns)


def as_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """float values -> the type, rounded and clipped where that is a whole number."""
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.asarray(np.clip(np.rint(values), limits.min, limits.max).astype(dtype))


def _cut(image: np.ndarray, top: int, left: int, rows: Span, columns: Span) -> np.ndarray:
    return image[top : top + rows.count * rows.scale, left : left + columns.count * columns.scale]
