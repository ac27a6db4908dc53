"""MATLAB's bicubic resize as a plain loop over the taps of its kernel: an independent reference for sr.ops.resize."""

import numpy as np


def loop_over_taps(image: np.ndarray, *, size: tuple[int, int]) -> np.ndarray:
    """(H, W, C) float -> (*size, C), one axis after the other, as the documentation of MATLAB's `imresize` says."""
    for axis in (0, 1):
        image = resize_axis(image, axis=axis, length=size[axis])
    return image


def resize_axis(image: np.ndarray, *, axis: int, length: int) -> np.ndarray:
    """Resize one axis to a length in pixels; pixels are numbered from 1, as in MATLAB."""
    scale = length / image.shape[axis]
    width = 4.0 if scale >= 1 else 4.0 / scale
    numbers = np.arange(1, length + 1)
    centres = numbers / scale + 0.5 * (1 - 1 / scale)
    leftmost = np.floor(centres - width / 2)
    mirror = np.concatenate((np.arange(image.shape[axis]), np.arange(image.shape[axis])[::-1]))
    total = np.zeros(length)
    shape = [1] * image.ndim
    shape[axis] = length
    result = np.zeros((*image.shape[:axis], length, *image.shape[axis + 1 :]), image.dtype)
    for tap in range(int(np.ceil(width)) + 2):
        neighbour = leftmost + tap
        weight = keys(min(scale, 1.0) * (centres - neighbour))
        pixels = np.take(image, mirror[(neighbour.astype(int) - 1) % len(mirror)], axis=axis)
        result += pixels * weight.reshape(shape).astype(image.dtype)
        total += weight
    return result / total.reshape(shape).astype(image.dtype)


def keys(x: np.ndarray) -> np.ndarray:
    """The cubic convolution kernel of Keys (1981), with a = -0.5, at distance x in pixels."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.select([x <= 1, x <= 2], [near, far], 0.0)
