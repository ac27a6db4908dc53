"""Solid alpha is not made faintly transparent by a net."""

import numpy as np

from sr.upscale.flat import Flat


def test_what_is_flat_around_a_pixel_stays_exact_and_nothing_else() -> None:
    for dtype in (np.uint8, np.uint16):
        top = np.iinfo(dtype).max
        alpha = np.full((20, 16, 1), top, dtype)
        alpha[8:14, 5:11] = 0
        given = np.random.default_rng(0).uniform(0.1, 0.9, (40, 32, 1)).astype(np.float32)
        values, flat = given.copy(), Flat(alpha)
        flat.keep(values[:18], top=0, left=0, scale=2)
        flat.keep(values[18:, :12], top=9, left=0, scale=2)
        flat.keep(values[18:, 12:], top=9, left=6, scale=2)
        expected = given.copy()
        around = np.ones((20, 16), bool)
        around[7:15, 4:12] = False
        expected[around.repeat(2, 0).repeat(2, 1)] = 1
        expected[18:26, 12:20] = 0
        np.testing.assert_array_equal(values, expected)
