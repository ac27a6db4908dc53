"""Convolution with a small kernel, and unsharp masking."""

from functools import cache

import cv2
import numpy as np
from scipy.fft import fft, irfft2, next_fast_len, rfft, rfft2

_NEGLIGIBLE = 1e-6  # the sum of the taps that may be left out of a kernel that sums to 1
_DIRECT_AREA = 130  # number of taps, including zeros, from which cv2.filter2D uses a slower DFT
_WIDE = 31  # number of taps from which a Gaussian is smooth enough to be computed at half the size


def convolve(image: np.ndarray, *, kernel: np.ndarray) -> np.ndarray:
    """(H, W, C) float32 and (odd, odd) float, sum 1 -> (H, W, C) float32, within 1e-5 for images in [0, 1].

    The border is mirrored without the edge pixel (BORDER_REFLECT_101), as often as a small image needs it. The function
    computes the correlation, which equals the convolution for the point-symmetric kernels of `sr.degradations`.
    """
    rows, columns = kernel.sum(axis=1, keepdims=True), kernel.sum(axis=0, keepdims=True)
    if np.abs(kernel - rows * columns).sum() < _NEGLIGIBLE:
        return _separable(image, _thin(rows), _thin(columns))
    kernel = _thin(kernel)
    height, width = kernel.shape
    if kernel.size < _DIRECT_AREA:
        return _direct(image, kernel)
    if (height // 2 + 1) * width < _DIRECT_AREA:
        return _in_halves(image, kernel)
    return _by_fft(image, kernel)


def gaussian_blur(image: np.ndarray, *, taps: int) -> np.ndarray:
    """(H, W, C) float32 -> (H, W, C) float32, mirrored at the border; sigma follows from `taps` (odd) by OpenCV's rule.

    A wide Gaussian is computed at half the size, which changes the result by less than 2e-4 for images in [0, 1].
    """
    height, width = image.shape[:2]
    if taps < _WIDE or min(height, width) < taps:
        column = cv2.getGaussianKernel(taps, 0, cv2.CV_32F)
        return _separable(image, column, column.T)
    column = _half_size_gaussian(taps)
    # Halved, an image begins at its first pixel but need not end at its last, where its mirror image must begin.
    beyond = taps // 2 + 4
    mirrored = cv2.copyMakeBorder(image, 0, beyond, 0, beyond, cv2.BORDER_REFLECT_101)
    half = cv2.pyrDown(mirrored)
    half = _separable(half.reshape(*half.shape[:2], -1), column, column.T)
    whole = cv2.pyrUp(half, dstsize=(width + beyond, height + beyond))
    return np.ascontiguousarray(whole.reshape(*whole.shape[:2], -1)[:height, :width])


def unsharp_mask(
    image: np.ndarray, *, weight: float = 0.5, radius: int = 50, threshold: float = 10
) -> np.ndarray:
    """Sharpens where an image differs from its blur, as Real-ESRGAN sharpens its targets.

    Photographs come out within 0.25 / 255 of the definition by direct sums, and within 0.001 / 255 on average: a value
    at the threshold may count as detail in one and not in the other.

    Args:
        image: (H, W, C) float32 in [0, 1], which is not changed.
        weight: the factor of (image - blur), which is added.
        radius: taps of the Gaussian, made odd if they are not; its sigma follows by OpenCV's rule (8 for 50).
        threshold: difference from the blur, in units of 1/255, above which a value counts as detail. The mask of
            these values, blurred likewise, blends the sharpened image in.

    Returns:
        (H, W, C) float32 in [0, 1].
    """
    blur = gaussian_blur(image, taps=radius | 1)
    mask = cv2.absdiff(image, blur).reshape(image.shape)
    # In place from here on, because a new array costs as much as the arithmetic.
    cv2.threshold(mask, threshold / 255, 1, cv2.THRESH_BINARY, dst=mask)
    soft = gaussian_blur(mask, taps=radius | 1)
    sharp = cv2.addWeighted(image, 1 + weight, blur, -weight, 0, dst=blur).reshape(image.shape)
    np.clip(sharp, 0, 1, out=sharp)
    sharp -= image
    sharp *= soft
    sharp += image
    return sharp


@cache
def _half_size_gaussian(taps: int) -> np.ndarray:
    """(n, 1) float32 that, between cv2.pyrDown and cv2.pyrUp, comes closest to the Gaussian (least squares).

    Halving keeps every second pixel, and the others respond differently; both are fitted.
    """
    reach, length = taps // 4 + 1, 4 * taps + 4
    pyramid = np.array([1, 4, 6, 4, 1]) / 16  # the kernel of pyrDown, and of pyrUp with twice the weight
    responses, wanted = [], []
    for place in (length // 2, length // 2 + 1):
        impulse, target = np.zeros(length), np.zeros(length)
        impulse[place] = 1
        target[place - taps // 2 : place + taps // 2 + 1] = cv2.getGaussianKernel(taps, 0).ravel()
        half = np.convolve(impulse, pyramid, "same")[::2]
        shifted = [np.roll(half, offset) + np.roll(half, -offset) for offset in range(reach + 1)]
        shifted[0] /= 2
        enlarged = np.zeros((length, reach + 1))
        enlarged[::2] = np.stack(shifted, axis=1)
        responses += [np.convolve(column, 2 * pyramid, "same") for column in enlarged.T]
        wanted.append(target)
    matrix = np.concatenate([np.stack(responses[: reach + 1], 1), np.stack(responses[reach + 1 :], 1)])
    side = np.linalg.lstsq(matrix, np.concatenate(wanted))[0]
    kernel = np.concatenate([side[:0:-1], side])
    return np.asarray(kernel / kernel.sum(), np.float32)[:, None]


def _separable(image: np.ndarray, column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Two passes of cv2.filter2D take about 3/4 of the time of cv2.sepFilter2D."""
    return _direct(_direct(image, row), column)


def _thin(kernel: np.ndarray) -> np.ndarray:
    """Set the smallest taps, `_NEGLIGIBLE` in total, to zero, and cut off borders that are all zero."""
    size = np.abs(kernel)
    ascending = np.sort(size, axis=None)
    smallest = ascending[np.searchsorted(np.cumsum(ascending), _NEGLIGIBLE)]
    kept = size >= smallest
    rows, columns = np.flatnonzero(kept.any(axis=1)), np.flatnonzero(kept.any(axis=0))
    top = min(rows[0], kernel.shape[0] - 1 - rows[-1])  # the centre stays the centre
    left = min(columns[0], kernel.shape[1] - 1 - columns[-1])
    thinned = np.where(kept, kernel, 0).astype(np.float32)
    return thinned[top : kernel.shape[0] - top, left : kernel.shape[1] - left]


def _direct(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """OpenCV skips zero taps, and drops the last axis of an image of one channel."""
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101).reshape(image.shape)


def _in_halves(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The rows down to the centre, then the rest: each half is small enough for a direct sum."""
    centre_y, centre_x = kernel.shape[0] // 2, kernel.shape[1] // 2
    lower = kernel[centre_y:].copy()
    lower[0] = 0  # the centre row belongs to the upper half; the anchor has to be inside the kernel
    border = cv2.BORDER_REFLECT_101
    total = cv2.filter2D(image, -1, kernel[: centre_y + 1], anchor=(centre_x, centre_y), borderType=border)
    rest = cv2.filter2D(image, -1, lower, anchor=(centre_x, 0), borderType=border)
    return cv2.add(total, rest, dst=total).reshape(image.shape)


def _by_fft(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolve one plane after the other by FFT, mirrored to a length that transforms quickly."""
    height, width = image.shape[:2]
    top, left = kernel.shape[0] // 2, kernel.shape[1] // 2
    tall = next_fast_len(height + 2 * top)
    wide = next_fast_len(width + 2 * left, real=True)
    spectrum = np.conj(fft(rfft(kernel, wide), tall, axis=0))  # rfft2 would transform the zero rows, too
    planes = []
    for plane in cv2.split(image):
        mirrored = cv2.copyMakeBorder(
            plane, top, tall - height - top, left, wide - width - left, cv2.BORDER_REFLECT_101
        )
        product = rfft2(mirrored)
        product *= spectrum
        planes.append(irfft2(product, s=(tall, wide), overwrite_x=True)[:height, :width])
    return cv2.merge(planes).reshape(image.shape)
