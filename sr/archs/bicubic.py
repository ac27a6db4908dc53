"""The bicubic baseline: MATLAB's `imresize(image, scale)` as a net without parameters."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# The cubic spans 2 source pixels to either side, so no output pixel ever sees a third mirrored one.
_REACH = 2


def upsample_bicubic(image: Tensor, *, scale: int) -> Tensor:
    """Upsample as MATLAB's `imresize` does: Keys' cubic (a = -0.5), mirrored borders (edge pixel repeated).

    (N, C, H, W) float -> (N, C, H*scale, W*scale) of the same dtype, for any H, W >= 1. Not clamped: a cubic
    overshoots at edges.

    Source: Keys, "Cubic convolution interpolation for digital image processing", 1981.
    """
    # Torch does not mirror (it renormalises what is left of the kernel), so it is handed the mirrored pixels
    # and the surplus is cropped. `antialias=True` only picks a = -0.5 here, where torch otherwise has -0.75.
    height, width = image.shape[-2:]
    mirrored = image[..., _mirrored_indices(height, image.device), :][
        ..., _mirrored_indices(width, image.device)
    ]
    # Torch's CPU kernel knows float32 and float64 only.
    mirrored = mirrored.to(torch.promote_types(image.dtype, torch.float32))
    size = (scale * (height + 2 * _REACH), scale * (width + 2 * _REACH))
    upsampled = F.interpolate(mirrored, size=size, mode="bicubic", antialias=True, align_corners=False)
    border = scale * _REACH
    return upsampled[..., border : border + scale * height, border : border + scale * width].to(image.dtype)


def _mirrored_indices(size: int, device: torch.device) -> Tensor:
    """Source index of the pixels -2 ... size + 1: 1, 0 | 0, 1, ..., size - 1 | size - 1, size - 2."""
    # Modulo the period of the mirrored signal: one pixel is fewer than what it is padded by.
    index = torch.arange(-_REACH, size + _REACH, device=device) % (2 * size)
    return torch.minimum(index, 2 * size - 1 - index)


class Bicubic(nn.Module):
    """Bicubic upsampling, the baseline of every table (see `upsample_bicubic`), evaluated like any other net.

    (N, C, H, W) float in [0, 1] -> (N, C, H*scale, W*scale), any number of channels, overshoot not clamped.
    It has no parameters, so there is nothing to train.

    Args:
        scale: the factor of enlargement, 1 or more.

    Raises:
        ValueError: `scale` is below 1.
    """

    def __init__(self, *, scale: int = 4) -> None:
        super().__init__()
        if scale < 1:
            raise ValueError(f"scale={scale} must be a positive integer")
        self.scale = scale

    def forward(self, lr: Tensor) -> Tensor:
        return upsample_bicubic(lr, scale=self.scale)
