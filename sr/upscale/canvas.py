"""The canvas that finished parts of a result are painted on: rounded once, at the scale of the net or another."""

from typing import Protocol

import numpy as np

from sr.ops.normalisation import FULL_RANGE, Normalisation


class Canvas(Protocol):
    """Takes the parts of a net's output in reading order, and holds the result when all have come.

    Attributes:
        result: (H, W, C) stored values.
    """

    result: np.ndarray

    def paint(self, values: np.ndarray, *, top: int, left: int) -> None:
        """Add a part at its position in the output: (h, w, C) float32, nominally in [0, 1], which may be changed."""


def make_canvas(
    shape: tuple[int, int, int], *, size: tuple[int, int], dtype: np.dtype, by: Normalisation = FULL_RANGE
) -> Canvas:
    """A canvas for the output of a net, (H, W, C), and a result of `size`; `by` makes stored values of the output."""
    return Exact(shape, dtype, by) if size == shape[:2] else Resampled(shape, size, dtype, by)


class Exact:
    """The result is the output of the net."""

    def __init__(self, shape: tuple[int, int, int], dtype: np.dtype, by: Normalisation) -> None:
        self.result = np.empty(shape, dtype)
        self._by = by

    def paint(self, values: np.ndarray, *, top: int, left: int) -> None:
        height, width = values.shape[:2]
        self.result[top : top + height, left : left + width] = self._by.to_stored(values, self.result.dtype)


class Resampled:
    """The output of the net is resampled without rounding or clamping, and only then rounded to levels.

    The whole output never exists: as soon as a row of parts is complete, the rows of the result that depend on it are
    computed.
    """

    def __init__(
        self, shape: tuple[int, int, int], size: tuple[int, int], dtype: np.dtype, by: Normalisation
    ) -> None:
        from sr.ops.resize import (
            Resizer,  # its SciPy takes half a second, and the scale of the net needs none
        )

        self.result = np.empty((*size, shape[2]), dtype)
        self._by = by
        self._width = shape[1]
        self._resizer = Resizer(shape, size=size, dtype=np.dtype(np.float32))
        self._band = np.empty((0, *shape[1:]), np.float32)

    def paint(self, values: np.ndarray, *, top: int, left: int) -> None:
        height, width = values.shape[:2]
        if width == self._width:  # nothing to collect
            self._finish(values)
            return
        if left == 0:
            self._band = np.empty((height, *self._band.shape[1:]), np.float32)
        self._band[:, left : left + width] = values
        if left + width == self._width:
            self._finish(self._band)

    def _finish(self, band: np.ndarray) -> None:
        for start, strip in self._resizer.add(band):
            self.result[start : start + len(strip)] = self._by.to_stored(strip, self.result.dtype)
