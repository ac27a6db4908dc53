"""How much a film flickers: what changes from frame to frame beside its motion."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np


def flicker(
    frames: Sequence[np.ndarray], *, motion: tuple[float, float] = (0.0, 0.0), border: int = 0
) -> float:
    """The mean of |f(t+1, x + motion) - f(t, x)| over pixels x, channels and times t, in the unit of the frames.

    A still scene without noise has 0. White noise of standard deviation s has 2 s / sqrt(pi). A result may flicker as
    much as its input times the gain of the scale, the factor by which enlarging amplifies white noise.

    Args:
        frames: at least two, each (H, W, C).
        motion: the (rows, columns) by which the whole picture moves from a frame to the next. Other than whole pixels,
            the shift is made in the Fourier domain, which is exact for pictures that are periodic and band-limited.
        border: the pixels at each side that are left out, where a moving picture is unknown.

    Raises:
        ValueError: there are fewer than two frames.
    """
    if len(frames) < 2:
        raise ValueError(f"flicker is a change between frames, and there are {len(frames)}")
    inside = slice(border, -border or None)
    changes = [
        np.abs(shifted(after.astype(np.float64), (-motion[0], -motion[1])) - before)[inside, inside].mean()
        for before, after in pairwise(frames)
    ]
    return float(np.mean(changes))


def shifted(image: np.ndarray, by: tuple[float, float]) -> np.ndarray:
    """(H, W, C) floats moved by (rows, columns), which need not be whole; what leaves at a side enters at the other."""
    if all(float(each).is_integer() for each in by):
        return np.roll(image, (int(by[0]), int(by[1])), axis=(0, 1))
    down = np.exp(-2j * np.pi * by[0] * np.fft.fftfreq(image.shape[0]))
    across = np.exp(-2j * np.pi * by[1] * np.fft.fftfreq(image.shape[1]))
    spectrum = np.fft.fft2(image, axes=(0, 1)) * down[:, None, None] * across[None, :, None]
    return np.asarray(np.fft.ifft2(spectrum, axes=(0, 1)).real)
