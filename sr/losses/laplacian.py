"""A distance of Laplacian pyramids."""

import torch
from torch import Tensor, nn

from sr.losses.comparable import comparable
from sr.ops.pyramid import check_levels, laplacian_pyramid


class LaplacianPyramidLoss(nn.Module):
    """sum over levels j of mean |L_j(sr) - L_j(hr)|

    L_0 is the finest band, and the last level what all reductions leave, so that nothing of the image is left out. A
    mean over the pixels of a level is the paper's 2^(2j) times their sum, but for a constant: a level has a quarter of
    the pixels of the one before.

    Source: Bojanowski et al., "Optimizing the Latent Space of Generative Networks", ICML 2018, on the pyramid of
    Burt and Adelson, 1983 (binomial low-pass of 5 x 5 taps, mirrored borders).

    Shapes: `sr` and `hr` (N, C, H, W), H and W at least 2^levels + 1; returns a scalar of at least float32, which is
    0 for equal images.

    Args:
        levels: the number of bands besides the last level, 1 or more.

    Raises:
        ValueError: `levels` is below 1, images are too small for it, or shapes differ.
    """

    def __init__(self, *, levels: int = 5) -> None:
        super().__init__()
        if levels < 1:
            raise ValueError(f"levels={levels} must be at least 1")
        self.levels = levels

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        sr, hr = comparable(sr, hr)
        check_levels(self.levels, size=sr.shape[-2:])
        bands = laplacian_pyramid(sr - hr, levels=self.levels)  # it is linear
        return torch.stack([band.abs().mean() for band in bands]).sum()
