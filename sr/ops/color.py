"""Colour spaces."""

import torch
from torch import Tensor


def luma(images: Tensor) -> Tensor:
    """(N, 3, H, W) RGB in [0, 1] -> (N, 1, H, W) Y in [16/255, 235/255]; gray images pass unchanged.

    ITU-R BT.601 in studio swing, as MATLAB's `rgb2ycbcr` and every published table of the field use it, but not
    rounded to 8 bits. Images of one channel are taken to be their own luma.

    Raises:
        ValueError: the images have neither one nor three channels.
    """
    channels = images.shape[1]
    if channels == 1:
        return images
    if channels != 3:
        raise ValueError(f"luma needs RGB or gray images, got {channels} channels")
    weights = torch.tensor([65.481, 128.553, 24.966], dtype=images.dtype, device=images.device)
    return ((images * weights.view(1, 3, 1, 1)).sum(dim=1, keepdim=True) + 16) / 255
