"""Colour under transparency."""

import numpy as np
from helpers import picture as smooth

from sr.upscale.alpha import fill_transparent


def test_transparent_pixels_take_the_nearest_colour_that_shows() -> None:
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 65536, (20, 15, 3), np.uint16)
    alpha = (rng.random((20, 15, 1)) > 0.9).astype(np.uint16) * 7  # barely there shows too
    filled = fill_transparent(colour, alpha)
    shown = np.argwhere(alpha[:, :, 0] > 0)
    for y, x in np.argwhere(alpha[:, :, 0] == 0):
        distance = np.hypot(*(shown - (y, x)).T)
        # OpenCV's distance is within 2 % of the Euclidean one, so a near tie may go to either.
        near = shown[distance <= distance.min() * 1.05]
        assert any((filled[y, x] == colour[ny, nx]).all() for ny, nx in near)
    visible = alpha[:, :, 0] > 0
    np.testing.assert_array_equal(filled[visible], colour[visible])


def test_nothing_to_fill_and_nothing_to_fill_with() -> None:
    colour = smooth(6, 5)
    for value in (0, 255):
        np.testing.assert_array_equal(fill_transparent(colour, np.full((6, 5, 1), value, np.uint8)), colour)
