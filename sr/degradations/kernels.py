"""Blur kernels of Real-ESRGAN: (generalized) Gaussians, plateaus and a two-dimensional sinc."""

import numpy as np
from scipy.special import j1


def gaussian(size: int, *, sigma_x: float, sigma_y: float, rotation: float) -> np.ndarray:
    """exp(-q / 2), q as in `_distance`. (size, size) float64 that sums to 1."""
    return _normalised(np.exp(-0.5 * _distance(size, sigma_x, sigma_y, rotation)))


def generalized_gaussian(
    size: int, *, sigma_x: float, sigma_y: float, rotation: float, beta: float
) -> np.ndarray:
    """exp(-q^beta / 2): boxier than a Gaussian above beta = 1, heavier tails below. Sums to 1."""
    return _normalised(np.exp(-0.5 * _distance(size, sigma_x, sigma_y, rotation) ** beta))


def plateau(size: int, *, sigma_x: float, sigma_y: float, rotation: float, beta: float) -> np.ndarray:
    """1 / (q^beta + 1). Sums to 1."""
    return _normalised(1 / (_distance(size, sigma_x, sigma_y, rotation) ** beta + 1))


def sinc(size: int, *, cutoff: float) -> np.ndarray:
    """The ideal low-pass filter of a disc of `cutoff` radians per pixel. Sums to 1."""
    _check("cutoff", cutoff)
    offset = _offsets(size)
    radius = np.hypot(offset, offset[:, None])
    radius[size // 2, size // 2] = 1  # any but 0
    kernel = cutoff * j1(cutoff * radius) / (2 * np.pi * radius)
    kernel[size // 2, size // 2] = cutoff**2 / (4 * np.pi)
    return _normalised(kernel)


def _distance(size: int, sigma_x: float, sigma_y: float, rotation: float) -> np.ndarray:
    """q(x) = x^T Sigma^-1 x at every pixel."""
    _check("sigma_x", sigma_x)
    _check("sigma_y", sigma_y)
    x = _offsets(size)
    y = x[:, None]
    cos, sin = np.cos(rotation), np.sin(rotation)
    along = (cos * x + sin * y) / sigma_x
    across = (cos * y - sin * x) / sigma_y
    distance: np.ndarray = along**2 + across**2
    return distance


def _offsets(size: int) -> np.ndarray:
    if size < 1 or size % 2 == 0:
        raise ValueError(f"size={size}: a kernel has an odd, positive number of taps")
    return np.arange(size) - size // 2


def _check(name: str, value: float) -> None:
    if value <= 0:
        raise ValueError(f"{name}={value}: must be positive")


def _normalised(kernel: np.ndarray) -> np.ndarray:
    normalised: np.ndarray = kernel / kernel.sum()
    return normalised
