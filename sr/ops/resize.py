"""MATLAB's antialiased bicubic resize, by which every benchmark of the field makes its LR images."""

from functools import lru_cache

import cv2
import numpy as np
from scipy.sparse import csr_array


def imresize(image: np.ndarray, *, size: tuple[int, int]) -> np.ndarray:
    """(H, W, C) float -> (size[0], size[1], C) float of the same dtype; values may over- and undershoot.

    The cubic kernel has a = -0.5 (Keys 1981), is widened by the factor when shrinking, and the image is mirrored at
    its borders, edge pixel included. OpenCV's bicubic does not widen (up to 150/255 off) and Pillow's does not
    mirror, so neither can stand in.
    """
    height, width, channels = image.shape
    rows = _weights(height, size[0], image.dtype)
    columns = _weights(width, size[1], image.dtype)
    tall = (rows @ image.reshape(height, width * channels)).reshape(size[0], width, channels)
    return _turned((columns @ _turned(tall).reshape(width, -1)).reshape(size[1], size[0], channels))


def _turned(image: np.ndarray) -> np.ndarray:
    """(H, W, C) -> (W, H, C), in memory too."""
    if image.shape[2] > 4:  # OpenCV, several times as fast as NumPy, does not know 20 bytes a pixel
        return np.ascontiguousarray(image.transpose(1, 0, 2))
    return cv2.transpose(image).reshape(image.shape[1], image.shape[0], -1)


@lru_cache(maxsize=64)
def _weights(length: int, resized_length: int, dtype: np.dtype) -> csr_array:
    """The (resized_length, length) matrix that resizes one axis."""
    factor = resized_length / length
    stretch = min(factor, 1.0)  # the kernel widens only when shrinking
    support = 4 / stretch
    taps = int(np.ceil(support)) + 2
    centre = (np.arange(resized_length) + 0.5) / factor - 0.5
    first = np.floor(centre - support / 2).astype(int)
    source = first[:, None] + np.arange(taps)
    weight = _cubic((centre[:, None] - source) * stretch)
    weight /= weight.sum(axis=1, keepdims=True)
    period = source % (2 * length)
    mirrored = np.where(period < length, period, 2 * length - 1 - period)
    rows = np.repeat(np.arange(resized_length), taps)
    shape = (resized_length, length)
    matrix = csr_array((weight.ravel(), (rows, mirrored.ravel())), shape=shape)  # duplicates are summed
    matrix.eliminate_zeros()  # of the taps that only fractional places need
    typed: csr_array = matrix.astype(dtype)
    return typed


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel with a = -0.5."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def imresize_levels(image: np.ndarray, *, size: tuple[int, int], strip: int = 128) -> np.ndarray:
    """`imresize` of (H, W, C) uint8 or uint16 to the same dtype, rounded and clamped.

    Works on `strip` rows of the result at a time, so that floats are never more than a few strips however large the
    image is.
    """
    height, width, channels = image.shape
    top = np.iinfo(image.dtype).max
    rows = _weights(height, size[0], np.dtype(np.float32))
    columns = _weights(width, size[1], np.dtype(np.float32))
    resized = np.empty((*size, channels), image.dtype)
    for start in range(0, size[0], strip):
        wanted = rows[start : start + strip].tocsc()
        used = np.flatnonzero(np.diff(wanted.indptr))
        first, last = int(used[0]), int(used[-1]) + 1
        source = image[first:last].reshape(last - first, width * channels).astype(np.float32)
        tall = (wanted[:, first:last] @ source).reshape(-1, width, channels)
        values = _turned((columns @ _turned(tall).reshape(width, -1)).reshape(size[1], -1, channels))
        resized[start : start + strip] = np.clip(np.rint(values), 0, top)
    return resized
