"""Colour spaces."""

import torch
from torch import Tensor


def luma(images: Tensor) -> Tensor:
    """(N, 3, H, W) RGB in [0, 1] -> (N, 1, H, W) Y in [16/255, 235/255].

    ITU-R BT.601 in studio swing, as MATLAB's `rgb2ycbcr` and every published table of the field use it, but not
    rounded to 8 bits.

    Raises:
        ValueError: the images are not RGB.
    """
    if images.shape[1] != 3:
        raise ValueError(f"luma needs RGB images, got {images.shape[1]} channels")
    weights = torch.tensor([65.481, 128.553, 24.966], dtype=images.dtype, device=images.device)
    return ((images * weights.view(1, 3, 1, 1)).sum(dim=1, keepdim=True) + 16) / 255
