"""MATLAB's antialiased bicubic resize, by which every benchmark of the field makes its LR images."""

from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np
from scipy.sparse import csr_array

STRIP = 64  # rows of the result that are computed at once, few enough for the cache of a processor


def imresize(image: np.ndarray, *, size: tuple[int, int]) -> np.ndarray:
    """(H, W, C) float -> (size[0], size[1], C) float of the same dtype; values may over- and undershoot.

    The cubic kernel has a = -0.5 (Keys 1981), is widened by the factor when shrinking, and the image is mirrored at
    its borders, edge pixel included. OpenCV's bicubic does not widen (up to 150/255 off) and Pillow's does not
    mirror, so neither can stand in.
    """
    resized = np.empty((*size, image.shape[2]), image.dtype)
    for start, strip in Resizer(image.shape, size=size, dtype=image.dtype).add(image):
        resized[start : start + len(strip)] = strip
    return resized


class Resizer:
    """`imresize` of an image that comes in bands of rows from the top; only a few earlier rows are kept.

    Args:
        shape: (H, W, C) of the image.
        size: (height, width) of the result.
        dtype: the type of the result and of the computation, float32 or float64.
    """

    def __init__(self, shape: tuple[int, ...], *, size: tuple[int, int], dtype: np.dtype) -> None:
        height, width, channels = shape
        self._dtype = dtype
        self._columns = _weights(width, size[1], dtype)
        self._waiting = list(
            reversed(_row_weights(height, size[0], dtype, STRIP))
        )  # a stack: the next strip is the last
        self._kept = np.empty(
            (0, width, channels), dtype
        )  # the kept rows, which end where the next band begins
        self._received = 0

    def add(self, band: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the first row and the pixels of every strip that can be computed now; the caller must take all."""
        begin = self._received
        self._received += len(band)
        while self._waiting and self._waiting[-1][2] <= self._received:
            start, first, last, rows = self._waiting.pop()
            yield start, self._strip(self._rows(band, begin, first, last), rows)
        needed = min((first for _, first, _, _ in self._waiting), default=self._received)
        self._kept = self._rows(band, begin, needed, self._received).copy()

    def _rows(self, band: np.ndarray, begin: int, first: int, last: int) -> np.ndarray:
        """Rows `first` to `last` of the image, where `band` begins at row `begin`."""
        new = band[max(first - begin, 0) : last - begin]
        if first >= begin:
            return new
        old = self._kept[len(self._kept) - (begin - first) :][: last - first]
        return np.concatenate((old, new.astype(self._dtype, copy=False))) if last > begin else old

    def _strip(self, source: np.ndarray, rows: csr_array) -> np.ndarray:
        width, channels = source.shape[1:]
        tall = (rows @ source.reshape(len(source), -1).astype(self._dtype, copy=False)).reshape(
            -1, width, channels
        )
        turned = self._columns @ _turned(tall).reshape(width, -1)
        return _turned(turned.reshape(-1, *tall.shape[::2]))


def _turned(image: np.ndarray) -> np.ndarray:
    """(H, W, C) -> (W, H, C), in memory too."""
    if (
        image.shape[2] > 4
    ):  # OpenCV is several times as fast as NumPy, but does not support 20 bytes per pixel
        return np.ascontiguousarray(image.transpose(1, 0, 2))
    return cv2.transpose(image).reshape(image.shape[1], image.shape[0], -1)


def axis_weights(length: int, resized_length: int) -> np.ndarray:
    """The (resized_length, length) float32 matrix that resizes one axis, with all its zeros."""
    dense: np.ndarray = _weights(length, resized_length, np.dtype(np.float32)).toarray()
    return dense


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
    matrix.eliminate_zeros()  # for the taps that only fractional positions need
    typed: csr_array = matrix.astype(dtype)
    return typed


@lru_cache(maxsize=64)
def _row_weights(
    length: int, resized_length: int, dtype: np.dtype, strip: int
) -> list[tuple[int, int, int, csr_array]]:
    """`_weights` by strips of rows: (first row, the span of source rows that it needs, its weights in that span)."""
    weights, found = _weights(length, resized_length, dtype), []
    for start in range(0, resized_length, strip):
        rows = weights[start : start + strip]
        first, last = int(rows.indices.min()), int(rows.indices.max()) + 1
        found.append((start, first, last, rows[:, first:last]))
    return found


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel with a = -0.5."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
