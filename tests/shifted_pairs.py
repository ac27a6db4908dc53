"""Pairs of HR and LR of which the one lies beside the other by a known distance."""

from functools import cache

import numpy as np
from scipy import ndimage

from sr.data.dead_leaves import render_dead_leaves
from sr.ops.resize import imresize

MARGIN = 16  # LR pixels that are cut off, so that no border lies in a pair


@cache
def large(side: int, seed: int, channels: int) -> np.ndarray:
    return render_dead_leaves(size=side, rng=np.random.default_rng(seed), channels=channels)


def moved_by_fourier(image: np.ndarray, down: float, right: float) -> np.ndarray:
    """(H, W, C) -> float64, by the shift theorem; the image goes on at the other border."""
    waves = np.fft.fft2(image, axes=(0, 1))
    return np.fft.ifft2(ndimage.fourier_shift(waves, (down, right, 0)), axes=(0, 1)).real


def pair(
    down: float = 0.0,
    right: float = 0.0,
    *,
    scale: int = 4,
    side: int = 128,
    seed: int = 0,
    channels: int = 3,
) -> tuple[np.ndarray, np.ndarray]:
    """HR, (side * scale, side * scale, C), and LR, (side, side, C), uint8, whose content lies so many LR pixels off."""
    whole = large((side + 2 * MARGIN) * scale, seed, channels)
    moved = moved_by_fourier(whole, down * scale, right * scale)
    lr = imresize(moved, size=(side + 2 * MARGIN, side + 2 * MARGIN))
    inside = slice(MARGIN * scale, -MARGIN * scale)
    return whole[inside, inside].copy(), as_bytes(lr[MARGIN:-MARGIN, MARGIN:-MARGIN])


def as_bytes(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def reduced(hr: np.ndarray, scale: int = 4) -> np.ndarray:
    """(H, W, C) -> (H / scale, W / scale) float, the mean of the bands."""
    plane = hr.mean(axis=2, keepdims=True)
    return imresize(plane, size=(len(hr) // scale, hr.shape[1] // scale))[:, :, 0]
