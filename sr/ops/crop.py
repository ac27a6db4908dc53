"""Windows of an image: their position, cutting them, and mirroring beyond the border."""

import numpy as np
from torch import Tensor


def draw_corner(image: np.ndarray, size: int, rng: np.random.Generator) -> tuple[int, int]:
    """The top and left of a random square of `size` inside the image."""
    height, width = image.shape[:2]
    return int(rng.integers(height - size + 1)), int(rng.integers(width - size + 1))


def cut(image: np.ndarray, top: int, left: int, size: int) -> np.ndarray:
    """Cut a square of `size`; beyond the border the image is mirrored, as by MATLAB's resize."""
    height, width = image.shape[:2]
    inside = image[max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)]
    before = (max(-top, 0), max(-left, 0))
    after = (max(top + size - height, 0), max(left + size - width, 0))
    if not any((*before, *after)):
        return inside
    return np.pad(inside, ((before[0], after[0]), (before[1], after[1]), (0, 0)), mode="symmetric")


def trim(image: np.ndarray, margin: int) -> np.ndarray:
    """Cut `margin` pixels off on each side."""
    return image[margin : image.shape[0] - margin, margin : image.shape[1] - margin]


def pad_to(image: np.ndarray, size: int) -> np.ndarray:
    """Mirror the image at the bottom and right until both sides have at least `size` pixels."""
    height, width = image.shape[:2]
    missing = (max(size - height, 0), max(size - width, 0))
    if not any(missing):
        return image
    return np.pad(image, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")


def middle(images: Tensor, size: int) -> Tensor:
    """The middle of images: (N, C, H, W) -> (N, C, size, size); H and W must be at least `size`."""
    top, left = ((side - size) // 2 for side in images.shape[-2:])
    return images[..., top : top + size, left : left + size]
