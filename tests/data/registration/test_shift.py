"""Shifts that were made by the shift theorem are found, and where nothing can be found that is said."""

from collections.abc import Callable
from math import hypot, inf

import numpy as np
import pytest
from scipy import ndimage
from shifted_pairs import pair, reduced

from sr.data.registration.shift import LEAST, Shift, measure_shift

NOISE = np.random.default_rng(0).normal(size=(3, 128, 128))
SHIFTS = [(0.0, 0.0), (0.1, -0.05), (0.375, 0.375), (-1.3, 2.6), (7.2, -4.9)]
SENSORS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the same": lambda lr: lr,
    "gain and offset": lambda lr: 0.4 * lr + 60,
    "gamma": lambda lr: 255 * (lr / 255) ** 0.5,
    "blur": lambda lr: ndimage.gaussian_filter(lr, 1.0),
    "noise": lambda lr: lr + NOISE[0] * 8,
    "shade": lambda lr: lr * np.linspace(0.3, 1, lr.shape[1]),
}


def planes(down: float, right: float, *, seed: int = 0, side: int = 128) -> tuple[np.ndarray, np.ndarray]:
    hr, lr = pair(down, right, seed=seed, side=side)
    return reduced(hr), lr.mean(axis=2)


def off(found: Shift | None, down: float, right: float) -> float:
    assert found is not None
    return hypot(found.down - down, found.right - right)


@pytest.mark.parametrize(("down", "right"), SHIFTS)
@pytest.mark.parametrize("sensor", SENSORS)
def test_a_shift_is_found_to_a_tenth_of_a_pixel(sensor: str, down: float, right: float) -> None:
    hr, lr = planes(down, right)
    found = measure_shift(hr, SENSORS[sensor](lr))
    assert found is not None and found.decided
    assert off(found, down, right) < (0.03 if sensor in ("the same", "gain and offset") else 0.1)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_pixels_that_were_left_out_have_their_shift(scale: int) -> None:
    hr, _ = pair(scale=4, side=128)
    side = len(hr) // scale
    fine = hr[: side * scale, : side * scale]
    found = measure_shift(reduced(fine, scale), fine[::scale, ::scale].mean(axis=2))
    expected = (scale - 1) / 2 / scale
    assert off(found, expected, expected) < 0.05


def test_pixels_without_data_change_nothing_of_it() -> None:
    hr, lr = planes(0.3, -0.6)
    valid, second_valid = np.ones((2, *hr.shape), bool)
    valid[60:100, :40] = False
    second_valid[20:50, 30:90] = False
    holed = measure_shift(
        np.where(valid, hr, 0), np.where(second_valid, lr, 255), valid=valid, second_valid=second_valid
    )
    assert off(holed, 0.3, -0.6) < 0.05
    # The holes themselves lie at places that have nothing to do with the shift.
    naive = measure_shift(np.where(valid, hr, 0), np.where(second_valid, lr, 255))
    assert off(naive, 0.3, -0.6) > off(holed, 0.3, -0.6)


ROW, COLUMN = np.mgrid[:128, :128].astype(float)
UNCLEAR = {
    "flat": (np.full((128, 128), 90.0), np.full((128, 128), 90.0)),
    "flat but for noise": (90 + NOISE[1], 90 + NOISE[2]),
    "a slope": (ROW + COLUMN / 2, ROW + COLUMN / 2),
    "stripes": (np.sin(ROW / 3) * 50, np.sin((ROW - 1) / 3) * 50),
    "one straight edge": (100.0 * (ROW > 60), 100.0 * (ROW > 61)),
    "another image": (planes(0, 0)[0], planes(0, 0, seed=1)[1]),
    "a negative": (planes(0, 0)[0], 255 - planes(0, 0)[1]),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_what_says_nothing_is_undecided(name: str) -> None:
    found = measure_shift(*UNCLEAR[name])
    assert found is None or (found.error == inf and not found.decided)


def test_planes_without_common_data_or_of_a_few_pixels_say_nothing() -> None:
    hr, lr = planes(0, 0)
    upper = ROW < 64
    assert measure_shift(hr, lr, valid=upper, second_valid=~upper) is None
    assert measure_shift(hr[:4, :4], lr[:4, :4]) is None
    tiny = measure_shift(hr[:12, :16], lr[:12, :16])
    assert tiny is None or not tiny.decided


@pytest.mark.parametrize("side", [64, 128])
def test_the_expected_error_is_that_of_noisy_images(side: int) -> None:
    """Over noise from little to much, the root mean square of error / expected error is about 1."""
    ratios, rng = [], np.random.default_rng(0)
    for number in range(16):
        down, right = rng.uniform(-1, 1, 2)
        hr, lr = planes(down, right, seed=number % 2, side=side)
        found = measure_shift(hr, lr + rng.normal(size=lr.shape) * (3, 8, 15, 25)[number % 4])
        if found is not None and found.error < inf:
            ratios.append(off(found, down, right) / found.error)
    assert len(ratios) >= 12
    assert 0.4 < np.sqrt(np.mean(np.square(ratios))) < 2


def test_more_noise_than_image_is_undecided_before_it_is_wrong() -> None:
    hr, lr = planes(0.5, 0.5)
    for level in (0, 10, 30, 60, 120, 240):
        found = measure_shift(hr, lr + np.random.default_rng(level).normal(size=lr.shape) * level)
        assert found is not None
        assert not found.decided or off(found, 0.5, 0.5) < 2 * LEAST
    assert not found.decided
