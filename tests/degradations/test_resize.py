"""Resized images have the size that is due, and the pixels of their mode."""

import numpy as np
from degradation_steps import PHOTO, applied

from sr.degradations.resize import Resize, ResizeToLR


def test_resize_is_to_a_fraction_of_hr_whatever_was_in_between() -> None:
    assert applied(Resize(fraction=1 / 3, mode="area"), PHOTO[:7, :9]).shape == (16, 21, 3)
    assert Resize(fraction=1 / 3, mode="area")(PHOTO, hr_size=(402, 402)).shape == (134, 134, 3)
    assert applied(Resize(fraction=0.001, mode="nearest")).shape == (1, 1, 3)


def test_area_is_the_mean_and_nearest_a_pixel_of_the_middle() -> None:
    blocks = PHOTO.reshape(12, 4, 16, 4, 3)
    area = applied(Resize(fraction=0.25, mode="area"))
    np.testing.assert_allclose(area, blocks.mean(axis=(1, 3)), atol=1e-6)
    np.testing.assert_array_equal(applied(Resize(fraction=0.25, mode="nearest")), blocks[:, 2, :, 2])


def test_to_lr_is_one_scale_th() -> None:
    for scale in (1, 2, 3, 4):
        step = ResizeToLR(scale=scale).draw(np.random.default_rng(0))
        assert applied(step).shape == (48 // scale, 64 // scale, 3)
