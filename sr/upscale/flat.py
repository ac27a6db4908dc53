"""Regions of alpha that are fully opaque, or fully transparent, stay so."""

import cv2
import numpy as np


class Flat:
    """The pixels whose 3 x 3 neighbourhood is all opaque, or all transparent.

    A net may return 254 for 255, which would make solid things slightly transparent.

    Args:
        alpha: (H, W, 1) uint8 or uint16.
    """

    def __init__(self, alpha: np.ndarray) -> None:
        kernel = np.ones((3, 3), np.uint8)
        self._opaque = cv2.erode(alpha, kernel) == np.iinfo(alpha.dtype).max
        self._transparent = cv2.dilate(alpha, kernel) == 0

    def keep(self, values: np.ndarray, *, top: int, left: int, scale: int) -> None:
        """Set those pixels to 1 and to 0, in place.

        Args:
            values: (h, w, 1) floats of the enlarged alpha, h and w multiples of `scale`.
            top: the row of the original at which they begin.
            left: the column of the original at which they begin.
            scale: the factor by which they are larger.
        """
        height, width = (side // scale for side in values.shape[:2])
        for value, where in ((1, self._opaque), (0, self._transparent)):
            here = where[top : top + height, left : left + width]
            values[here.repeat(scale, 0).repeat(scale, 1)] = value
