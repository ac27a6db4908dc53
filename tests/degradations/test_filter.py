"""Filtering against sums written out by hand."""

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from skimage import data

from sr.degradations.filter import convolve, gaussian_blur, unsharp_mask

SIZES = range(1, 22, 2)


def reference(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Tap after tap, float64."""
    height, width = kernel.shape
    margin = ((height // 2,) * 2, (width // 2,) * 2, (0, 0))
    padded = np.pad(image.astype(np.float64), margin, mode="reflect")
    total = np.zeros(image.shape)
    for y in range(height):
        for x in range(width):
            total += kernel[y, x] * padded[y : y + image.shape[0], x : x + image.shape[1]]
    return total


def kernels(size: int) -> dict[str, np.ndarray]:
    """What each way to the result is for: rank one, few taps that matter, many, not even symmetric."""
    rng = np.random.default_rng(size)
    y, x = np.mgrid[:size, :size] - size // 2
    shapes = {
        "isotropic": np.exp(-(x**2 + y**2) / 7.0),
        "narrow": np.exp(-(x**2 + y**2) / 0.2),
        "flat": np.exp(-(x**2 / 8.0 + y**2 / 0.3)),
        "rotated": np.exp(-((x + y) ** 2) / 12.0 - (x - y) ** 2 / 0.9),
        "lying": np.exp(-((x + 9 * y) ** 2) / 60.0 - (9 * y - x / 5) ** 2 / 4.0),
        "boxy": np.exp(-((x**2 + y**2) ** 2) / 200.0),
        "wide": 1 / (1 + (x**2 + y**2) / 4.0),
        "ringing": np.sinc(np.hypot(x, y) / 2),
        "lopsided": rng.random((size, size)),
        "one-sided": rng.random((size, size)) * (x >= 0) * (y >= 0),
        "other-sided": rng.random((size, size)) * (x <= 0) * (y <= 0),
    }
    return {name: shape / shape.sum() for name, shape in shapes.items()}


def picture(*shape: int) -> np.ndarray:
    """Half the pixels noise, half at the ends of the range, where errors of the kernel show the most."""
    noise = np.random.default_rng(0).random(shape, dtype=np.float32)
    return np.where(noise > 0.5, noise.round(), noise * 2)


@pytest.mark.parametrize("size", SIZES)
def test_every_kernel_is_the_sum_over_its_taps(size: int) -> None:
    image = picture(37, 29, 3)
    for name, kernel in kernels(size).items():
        before = kernel.copy()
        filtered = convolve(image, kernel=kernel)
        assert filtered.dtype == np.float32
        np.testing.assert_allclose(filtered, reference(image, kernel), atol=1e-5, err_msg=name)
        np.testing.assert_array_equal(kernel, before)
    np.testing.assert_array_equal(image, picture(37, 29, 3))


@pytest.mark.parametrize("size", [3, 7, 13, 15, 21])
@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 5, 3), (1, 9, 1), (12, 2, 3), (30, 31, 1), (16, 20, 5)])
def test_small_images_and_any_number_of_channels(shape: tuple[int, int, int], size: int) -> None:
    image = picture(*shape)
    for name, kernel in kernels(size).items():
        filtered = convolve(image, kernel=kernel)
        assert filtered.shape == shape
        np.testing.assert_allclose(filtered, reference(image, kernel), atol=1e-5, err_msg=name)


def test_views_of_an_image_are_filtered_like_copies() -> None:
    view = picture(60, 50, 3)[5:45, 10:40][:, ::-1]
    for name, kernel in kernels(15).items():
        copy = convolve(np.ascontiguousarray(view), kernel=kernel)
        np.testing.assert_array_equal(convolve(view, kernel=kernel), copy, err_msg=name)


@pytest.mark.parametrize("size", SIZES)
def test_flat_stays_flat(size: int) -> None:
    image = np.full((24, 18, 3), 0.6, np.float32)
    for name, kernel in kernels(size).items():
        np.testing.assert_allclose(convolve(image, kernel=kernel), 0.6, atol=1.5e-6, err_msg=name)


def blurred(image: np.ndarray, taps: int) -> np.ndarray:
    sigma = 0.3 * ((taps - 1) * 0.5 - 1) + 0.8
    offset = np.arange(taps) - taps // 2
    weight = np.exp(-(offset**2) / (2 * sigma**2))
    weight /= weight.sum()
    half = taps // 2
    padded = np.pad(image, ((half, half), (half, half), (0, 0)), mode="reflect")
    tall: np.ndarray = sliding_window_view(padded, taps, axis=0) @ weight
    wide: np.ndarray = sliding_window_view(tall, taps, axis=1) @ weight
    return wide


def sharpened(image: np.ndarray, *, weight: float = 0.5, taps: int = 51, threshold: float = 10) -> np.ndarray:
    image = image.astype(np.float64)
    residual = image - blurred(image, taps)
    soft = blurred((np.abs(residual) * 255 > threshold).astype(np.float64), taps)
    sharp: np.ndarray = np.clip(image + weight * residual, 0, 1)
    return soft * sharp + (1 - soft) * image


def photo() -> np.ndarray:
    astronaut: np.ndarray = data.astronaut()[:160, 150:270].astype(np.float32) / 255
    return astronaut


@pytest.mark.parametrize("shape", [(160, 120), (119, 80), (64, 51), (51, 120), (50, 120), (3, 7)])
@pytest.mark.parametrize("taps", [21, 31, 51])
def test_gaussian_blur_is_the_direct_sum(shape: tuple[int, int], taps: int) -> None:
    """At half the size too, borders of even and odd sizes included."""
    for channels in (1, 3, 5):
        image = photo()[: shape[0], : shape[1], np.arange(channels) % 3]
        error = np.abs(gaussian_blur(np.ascontiguousarray(image), taps=taps) - blurred(image, taps))
        assert error.max() < 2e-4


@pytest.mark.parametrize(
    ("options", "defined"),
    [
        ({}, {}),
        ({"weight": 1.5, "threshold": 3}, {"weight": 1.5, "threshold": 3}),
        ({"radius": 20}, {"taps": 21}),
        ({"radius": 31}, {"taps": 31}),
    ],
)
def test_unsharp_mask_is_its_definition(options: dict[str, Any], defined: dict[str, Any]) -> None:
    image = photo()
    result = unsharp_mask(image, **options)
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert result.max() <= 1
    error = np.abs(result - sharpened(image, **defined)) * 255
    # The blur at half the size is off by 0.01; a value so near to the threshold may fall on either side of it.
    assert error.max() < 0.25
    assert error.mean() < 5e-3
    np.testing.assert_array_equal(image, photo())


def test_unsharp_mask_sharpens() -> None:
    change = np.abs(unsharp_mask(photo()) - photo()) * 255
    assert change.mean() > 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 7, 1), (40, 30, 1), (20, 24, 4)])
def test_unsharp_mask_of_small_images_and_any_number_of_channels(shape: tuple[int, int, int]) -> None:
    image = picture(*shape)
    result = unsharp_mask(image)
    assert result.shape == shape
    np.testing.assert_allclose(result, sharpened(image), atol=1e-5)


def test_unsharp_mask_leaves_what_does_not_stand_out() -> None:
    flat = np.full((64, 48, 3), 0.4, np.float32)
    np.testing.assert_array_equal(unsharp_mask(flat), flat)
    np.testing.assert_array_equal(unsharp_mask(photo(), threshold=255), photo())
