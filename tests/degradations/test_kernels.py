"""Blur kernels against closed forms written out tap by tap, and against what they do to a frequency."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from sr.degradations.kernels import gaussian, generalized_gaussian, plateau, sinc

SHAPES = [
    (7, 0.2, 0.2, 0.0),
    (21, 3.0, 3.0, 0.0),
    (13, 2.5, 0.4, 0.7),
    (21, 0.3, 2.9, -2.6),
    (9, 1.5, 0.8, math.pi),
]


def covariance(sigma_x: float, sigma_y: float, rotation: float) -> np.ndarray:
    turn = np.array([[math.cos(rotation), -math.sin(rotation)], [math.sin(rotation), math.cos(rotation)]])
    return turn @ np.diag([sigma_x**2, sigma_y**2]) @ turn.T


def by_hand(profile: Callable[[float], float], size: int, sigma: np.ndarray) -> np.ndarray:
    """profile(q) at every tap, one after the other, over the sum."""
    (a, b), (_, d) = np.linalg.inv(sigma).tolist()
    half = size // 2
    taps = [
        [profile(a * x * x + 2 * b * x * y + d * y * y) for x in range(-half, half + 1)]
        for y in range(-half, half + 1)
    ]
    total = math.fsum(math.fsum(row) for row in taps)
    return np.array(taps) / total


@pytest.mark.parametrize(("size", "sigma_x", "sigma_y", "rotation"), SHAPES)
def test_gaussian_is_the_normal_density(size: int, sigma_x: float, sigma_y: float, rotation: float) -> None:
    kernel = gaussian(size, sigma_x=sigma_x, sigma_y=sigma_y, rotation=rotation)
    y, x = np.mgrid[:size, :size] - size // 2
    density = multivariate_normal(cov=covariance(sigma_x, sigma_y, rotation)).pdf(np.stack([x, y], axis=-1))
    np.testing.assert_allclose(kernel, density / density.sum(), atol=1e-12)
    assert kernel.shape == (size, size)


@pytest.mark.parametrize("beta", [0.5, 0.8, 1.0, 2.3, 4.0])
@pytest.mark.parametrize(("size", "sigma_x", "sigma_y", "rotation"), SHAPES)
def test_generalized_gaussian_and_plateau_tap_by_tap(
    size: int, sigma_x: float, sigma_y: float, rotation: float, beta: float
) -> None:
    sigma = covariance(sigma_x, sigma_y, rotation)
    with np.errstate(all="raise", under="ignore"):  # q^beta reaches 1e15 for the narrowest
        peaked = generalized_gaussian(size, sigma_x=sigma_x, sigma_y=sigma_y, rotation=rotation, beta=beta)
        flat = plateau(size, sigma_x=sigma_x, sigma_y=sigma_y, rotation=rotation, beta=beta)
    expected = by_hand(lambda q: math.exp(-(max(q, 0.0) ** beta) / 2), size, sigma)
    np.testing.assert_allclose(peaked, expected, atol=1e-12)
    expected = by_hand(lambda q: 1 / (max(q, 0.0) ** beta + 1), size, sigma)
    np.testing.assert_allclose(flat, expected, atol=1e-12)


def test_beta_one_is_the_gaussian() -> None:
    plain = gaussian(15, sigma_x=2.2, sigma_y=0.9, rotation=0.4)
    general = generalized_gaussian(15, sigma_x=2.2, sigma_y=0.9, rotation=0.4, beta=1)
    np.testing.assert_allclose(general, plain, rtol=1e-12)


@pytest.mark.parametrize("family", [gaussian, generalized_gaussian, plateau])
def test_symmetries(family: Callable[..., np.ndarray]) -> None:
    shape = {} if family is gaussian else {"beta": 1.7}

    def kernel(sigma_x: float, sigma_y: float, rotation: float) -> np.ndarray:
        drawn = family(11, sigma_x=sigma_x, sigma_y=sigma_y, rotation=rotation, **shape)
        assert drawn.dtype == np.float64
        assert drawn.sum() == pytest.approx(1, abs=1e-12)
        np.testing.assert_array_equal(drawn, drawn[::-1, ::-1])
        return drawn

    upright = kernel(2.5, 0.7, 0)
    np.testing.assert_array_equal(upright, upright[::-1])
    assert upright[5, 8] > upright[8, 5]  # sigma_x is the spread along a row
    np.testing.assert_allclose(kernel(2.5, 0.7, math.pi / 2), upright.T, atol=1e-12)
    np.testing.assert_allclose(kernel(0.7, 2.5, 0), upright.T, atol=1e-12)
    np.testing.assert_allclose(kernel(1.3, 1.3, 0.9), kernel(1.3, 1.3, 0), atol=1e-12)
    downhill = kernel(2.5, 0.7, math.pi / 4)  # rows are counted downwards, as x grows to the right
    assert downhill[8, 8] > downhill[8, 2]
    np.testing.assert_allclose(downhill, downhill.T, atol=1e-12)


@pytest.mark.parametrize("cutoff", [math.pi / 5, 1.3, math.pi])
def test_sinc_is_the_transform_of_a_disc(cutoff: float) -> None:
    """The integral of cos(wx x) over the disc |w| <= cutoff, in strips 2 sqrt(cutoff^2 - wx^2) high."""
    turns, weights = np.polynomial.legendre.leggauss(200)
    angle = turns * math.pi / 2  # wx = cutoff sin(angle) takes the root's edge out of the integrand
    strip = 2 * (cutoff * np.cos(angle)) ** 2 * weights * math.pi / 2

    y, x = np.mgrid[:13, :13] - 6
    radius = np.hypot(x, y)
    expected = (strip * np.cos(radius[..., None] * cutoff * np.sin(angle))).sum(axis=-1)
    kernel = sinc(13, cutoff=cutoff)
    np.testing.assert_allclose(kernel, expected / expected.sum(), atol=1e-12)
    np.testing.assert_array_equal(kernel, kernel[::-1])
    np.testing.assert_array_equal(kernel, kernel.T)
    assert kernel.sum() == pytest.approx(1, abs=1e-12)


def test_sinc_passes_what_is_below_the_cutoff() -> None:
    size, cutoff = 301, 1.2
    response = np.abs(np.fft.fft2(sinc(size, cutoff=cutoff)))
    frequency = 2 * math.pi * np.fft.fftfreq(size)
    radius = np.hypot(frequency, frequency[:, None])
    np.testing.assert_allclose(response[radius < cutoff - 0.15], 1, atol=0.06)
    np.testing.assert_allclose(response[radius > cutoff + 0.15], 0, atol=0.06)


@pytest.mark.parametrize("size", [-3, 0, 8])
def test_sizes_without_a_centre_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"size={size}"):
        gaussian(size, sigma_x=1, sigma_y=1, rotation=0)
    with pytest.raises(ValueError, match=f"size={size}"):
        sinc(size, cutoff=1)


def test_widths_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"sigma_x=0"):
        gaussian(7, sigma_x=0, sigma_y=1, rotation=0)
    with pytest.raises(ValueError, match=r"sigma_y=-1"):
        plateau(7, sigma_x=1, sigma_y=-1, rotation=0, beta=1)
    with pytest.raises(ValueError, match=r"cutoff=0"):
        sinc(7, cutoff=0)


def test_one_tap_is_one() -> None:
    assert gaussian(1, sigma_x=2, sigma_y=1, rotation=0.3).tolist() == [[1.0]]
    assert sinc(1, cutoff=2).tolist() == [[1.0]]
