"""Chroma at the places of luma, and back.

Where a chroma sample lies matters: along a width it lies on every second luma sample (*left*, the default of MPEG-2,
H.264 and HEVC), along a height in the middle of two; JPEG puts it in the middle along both.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sampling:
    """How chroma is thinned out.

    Attributes:
        across: luma samples for a chroma sample along the width: 1, 2 or 4.
        down: the same along the height: 1 or 2.
        left: whether chroma lies on luma samples along the width, and not in the middle of two.
    """

    across: int
    down: int
    left: bool = True


def upsample(plane: np.ndarray, sampling: Sampling, *, size: tuple[int, int]) -> np.ndarray:
    """(h, w) -> `size` float32 by linear interpolation at the places where luma lies."""
    values = plane.astype(np.float32)
    for _ in range(sampling.down // 2):
        values = _between(values.T).T
    for _ in range(sampling.across // 2):
        values = _on_samples(values) if sampling.left else _between(values)
    return values[: size[0], : size[1]]


def downsample(plane: np.ndarray, sampling: Sampling) -> np.ndarray:
    """(H, W) float32 -> (ceil(H / down), ceil(W / across)) float32.

    In the middle of two samples, their mean is taken. On a sample it is the low-pass filter (-1, 2, 6, 2, -1) / 8, the
    exact inverse of the linear interpolation of `upsample` (Le Gall and Tabatabai, ICASSP 1988).
    """
    for _ in range(sampling.across // 2):
        plane = _thinned(plane) if sampling.left else _means(plane)
    for _ in range(sampling.down // 2):
        plane = _means(plane.T).T
    return plane


def _on_samples(values: np.ndarray) -> np.ndarray:
    """Twice as wide, with the old samples at the even places."""
    after = np.concatenate((values[:, 1:], values[:, -1:]), axis=1)
    return np.stack((values, (values + after) / 2), axis=2).reshape(len(values), -1)


def _between(values: np.ndarray) -> np.ndarray:
    """Twice as wide, with the old samples in the middle of two."""
    before = np.concatenate((values[:, :1], values[:, :-1]), axis=1)
    after = np.concatenate((values[:, 1:], values[:, -1:]), axis=1)
    return np.stack((0.75 * values + 0.25 * before, 0.75 * values + 0.25 * after), axis=2).reshape(
        len(values), -1
    )


def _thinned(values: np.ndarray) -> np.ndarray:
    if values.shape[1] == 1:
        return values
    width = values.shape[1]
    # Mirrored around the last samples, as the interpolation sees them: an odd place repeats the one before.
    padded = np.pad(values, ((0, 0), (2, 2)), mode="reflect" if width > 2 else "symmetric")
    if width % 2 == 0 and width > 2:
        padded[:, -2], padded[:, -1] = values[:, -1], values[:, -2]
    weights = np.array((-1, 2, 6, 2, -1), np.float32) / 8
    count = -(-width // 2)
    return np.asarray(
        sum(weight * padded[:, place : place + 2 * count - 1 : 2] for place, weight in enumerate(weights))
    )


def _means(values: np.ndarray) -> np.ndarray:
    if values.shape[1] % 2:
        values = np.concatenate((values, values[:, -1:]), axis=1)
    return np.asarray((values[:, 0::2] + values[:, 1::2]) / 2)
