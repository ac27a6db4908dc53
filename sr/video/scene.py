"""Where one scene ends and another begins, so that nothing is blended over the cut."""

import cv2
import numpy as np

CELLS = 16  # of a frame along each axis
ALIKE = 0.5  # correlation
FLAT = 0.01  # standard deviation of the cells, as a share of white, below which a frame has no structure
JUMP = 0.1  # change of the mean, as a share of white


def is_cut(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether two successive frames, each (H, W, C) uint16, belong to different scenes.

    The frames are reduced to the mean brightness of 16 x 16 cells. Within a scene the cells keep their order of
    brightness, in fades as well, so the frames belong together where Pearson's correlation of the cells is at least
    0.5. Where a frame has no structure, the change of its mean brightness decides.
    """
    first, second = _cells(before), _cells(after)
    if min(first.std(), second.std()) < FLAT:
        return bool(abs(first.mean() - second.mean()) > JUMP or max(first.std(), second.std()) > 4 * FLAT)
    return bool(np.corrcoef(first.ravel(), second.ravel())[0, 1] < ALIKE)


def _cells(image: np.ndarray) -> np.ndarray:
    bright = image.mean(axis=2, dtype=np.float32) / np.float32(65535)
    size = (min(CELLS, bright.shape[1]), min(CELLS, bright.shape[0]))
    return np.asarray(cv2.resize(bright, size, interpolation=cv2.INTER_AREA))
