"""Random pixels, and PNG files of 16 bits that OpenCV writes."""

from pathlib import Path

import cv2
import numpy as np


def noise(channels: int, dtype: type = np.uint8, height: int = 12, width: int = 9) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, (height, width, channels), dtype)


def png16(path: Path, pixels: np.ndarray) -> None:
    order = [2, 1, 0, 3][: pixels.shape[2]] if pixels.shape[2] > 1 else [0]
    assert cv2.imwrite(str(path), pixels[:, :, order])
