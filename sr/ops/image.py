"""Images as arrays and as tensors."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def to_float(image: np.ndarray) -> np.ndarray:
    """uint8 or uint16 -> float32 in [0, 1], by the depth of the dtype and never by the values.

    Raises:
        ValueError: another dtype, which has no natural range.
    """
    if image.dtype.kind != "u":
        raise ValueError(
            f"{image.dtype} has no natural range; what reads uint8 and uint16 alone cannot use it"
        )
    return np.asarray(np.divide(image, np.float32(np.iinfo(image.dtype).max), dtype=np.float32))


def contiguous(image: np.ndarray) -> np.ndarray:
    """Copy a turned or flipped view (H, W, C) into the order of memory.

    It moves whole pixels, which takes half the time of moving their values one by one.
    """
    if image.flags.c_contiguous or image.strides[2] != image.itemsize:
        return np.ascontiguousarray(image)
    pixels = image.view(np.dtype((np.void, image.itemsize * image.shape[2])))[..., 0]
    return np.asarray(np.ascontiguousarray(pixels).view(image.dtype).reshape(image.shape))


def to_tensor(image: np.ndarray) -> Tensor:
    """(H, W, C) float32 -> (C, H, W) float32."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def to_uint8(image: Tensor) -> np.ndarray:
    """(C, H, W) float -> (H, W, C) uint8, clamped to [0, 1] and rounded."""
    levels = (image.detach().float().clamp(0, 1) * 255).round().byte()
    return np.asarray(levels.permute(1, 2, 0).cpu().numpy())


def viewable(image: Tensor, *, bands: Sequence[int] | None = None) -> np.ndarray:
    """(C, H, W) float -> (H, W, 3) uint8: gray is repeated; of many bands the first three, or these, are shown."""
    array = to_uint8(image if bands is None else image[list(bands)])
    if array.shape[2] < 3:
        return np.repeat(array[:, :, :1], 3, axis=2)
    return np.ascontiguousarray(array[:, :, :3])


def quantize(image: np.ndarray) -> np.ndarray:
    """float -> float32 in [0, 1] on the 256 levels of an 8-bit file: what saving and reading would give."""
    return np.asarray((np.clip(image, 0, 1) * 255).round().astype(np.float32) / np.float32(255))


def crop_to_multiple(image: np.ndarray, multiple: int) -> np.ndarray:
    """Cut rows and columns at the bottom and right until height and width are multiples, as the field does."""
    height, width = image.shape[:2]
    return image[: height - height % multiple, : width - width % multiple]


def side_by_side(images: Sequence[np.ndarray], *, gap: int = 4) -> np.ndarray:
    """Lay (H, W, 3) uint8 images of one height in a row on white."""
    spacer = np.full((images[0].shape[0], gap, 3), 255, np.uint8)
    row: list[np.ndarray] = []
    for image in images:
        row += [image, spacer]
    return np.concatenate(row[:-1], axis=1)
