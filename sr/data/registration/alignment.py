"""How HR and LR of a pair lie over each other."""

from dataclasses import dataclass
from math import hypot

import numpy as np

from sr.data.registration.shift import Shift, measure_shift
from sr.data.registration.side import Side
from sr.ops.resize import imresize

WINDOW = 128  # LR pixels


@dataclass(frozen=True)
class Alignment:
    """What the windows of a pair say together; lengths are in LR pixels.

    Attributes:
        windows: the number of windows that were compared.
        decided: the number of those whose shift can be trusted.
        down: the median of the shifts by which the content of LR lies further down than that of HR.
        right: the same to the right.
        spread: the largest distance of a window's shift from that median, less twice the error of the window.
        error: the median of the errors that are to be expected of these windows.
    """

    windows: int
    decided: int = 0
    down: float = 0.0
    right: float = 0.0
    spread: float = 0.0
    error: float = 0.0

    @property
    def distance(self) -> float:
        """The length of the shift."""
        return hypot(self.down, self.right)


def measure_pair(hr: Side, lr: Side, *, scale: int, most: int = 3) -> Alignment:
    """Compare windows of LR with the same windows of HR, reduced by antialiased bicubic interpolation.

    Args:
        hr: HR, `scale` times as large as LR, up to a rest that is left out.
        lr: LR.
        scale: the upscaling factor.
        most: the largest number of windows along an axis. They are evenly spread and bounded in size, so the time that
            this takes does not depend on the size of the images.
    """
    height, width = lr.size
    places = [(row, column) for row in _places(height, most) for column in _places(width, most)]
    shifts = [_window(hr, lr, top, left, scale) for top, left in places]
    return _together([shift for shift in shifts if shift is not None and shift.decided], windows=len(places))


def _window(hr: Side, lr: Side, top: int, left: int, scale: int) -> Shift | None:
    height, width = (min(WINDOW, side) for side in lr.size)
    coarse, known = lr.part(top, left, height, width).plane()
    fine, valid = hr.part(*(scale * place for place in (top, left, height, width))).plane()
    if valid is not None:
        valid = np.asarray(valid.reshape(height, scale, width, scale).all(axis=(1, 3)))
    reduced = imresize(fine[:, :, None], size=(height, width))[:, :, 0]
    return measure_shift(reduced, coarse, valid=valid, second_valid=known)


def _places(length: int, most: int) -> list[int]:
    """Where the windows along an axis begin."""
    count, last = min(max(length // WINDOW, 1), most), max(length - WINDOW, 0)
    return [last // 2] if count == 1 else [round(place) for place in np.linspace(0, last, count)]


def _together(shifts: list[Shift], *, windows: int) -> Alignment:
    if not shifts:
        return Alignment(windows)
    found = np.array([(shift.down, shift.right) for shift in shifts])
    median = np.median(found, axis=0)
    errors = np.array([shift.error for shift in shifts])
    spread = max(float((np.hypot(*(found - median).T) - 2 * errors).max()), 0.0)
    return Alignment(
        windows, len(shifts), float(median[0]), float(median[1]), spread, float(np.median(errors))
    )
