"""MATLAB's antialiased bicubic resize (`sr.ops.resize`) of batches, on any device."""

from functools import lru_cache

import torch
from torch import Tensor

from sr.ops.resize import axis_weights


def imresize_batch(images: Tensor, *, size: tuple[int, int]) -> Tensor:
    """(N, C, H, W) -> (N, C, size[0], size[1]); values may over- and undershoot.

    It is `sr.ops.resize.imresize` of each image but for rounding. `torch.nn.functional.interpolate` mirrors nothing at
    the borders, and is up to 13 levels of 255 off there.
    """
    rows, columns = (
        _matrix(length, resized, images.device)
        for length, resized in zip(images.shape[2:], size, strict=True)
    )
    return rows @ images @ columns.mT


@lru_cache(maxsize=32)
def _matrix(length: int, resized_length: int, device: torch.device) -> Tensor:
    """The (resized_length, length) matrix that resizes one axis."""
    return torch.from_numpy(axis_weights(length, resized_length)).to(device)
