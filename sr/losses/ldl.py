"""A distance where detail is likely to be an artifact."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.losses.comparable import comparable


class LDLLoss(nn.Module):
    """mean |m (sr - hr)|, with m = V(r)^(1/5) v(r) where r >= r_average, else 0

    r is |sr - hr| summed over the channels, and r_average the same of the image that the averaged generator makes. v is
    the variance of r in the window of n x n pixels around each pixel (divided by n^2 - 1; r is mirrored beyond the
    border, which is not repeated), V that of r in the whole image. The residual of an artifact differs from that of its
    neighbours more than the residual of detail does, and where the averaged generator is further from HR, the
    generator is on a way that is right.

    Source: Liang, Zeng and Zhang, "Details or Artifacts: A Locally Discriminative Learning Approach to Realistic Image
    Super-Resolution", CVPR 2022, sec. 3. As in the code of the paper, the gradient passes through m too.

    Shapes: `sr`, `hr` and `average` (N, C, H, W), RGB or other channels in [0, 1], H and W above half a window; returns
    a scalar of at least float32, which is 0 for equal images. No gradient flows to `average`.

    Args:
        window_size: the side n of a window in pixels, odd, 3 or more.

    Attributes:
        wants: the loss is handed `average`, the image of the averaged generator.

    Raises:
        ValueError: `window_size` is even or below 3, images are smaller than a window needs, or shapes differ.
    """

    wants = frozenset({"average"})

    def __init__(self, *, window_size: int = 7) -> None:
        super().__init__()
        if window_size < 3 or window_size % 2 == 0:
            raise ValueError(f"window_size={window_size} must be odd and at least 3")
        self.window_size = window_size

    def forward(self, sr: Tensor, hr: Tensor, *, average: Tensor) -> Tensor:
        sr, hr = comparable(sr, hr)
        average, _ = comparable(average.detach(), hr)
        if min(sr.shape[-2:]) <= self.window_size // 2:
            height, width = sr.shape[-2:]
            raise ValueError(
                f"images of {height} x {width} pixels are too small for window_size={self.window_size}"
            )
        residual = _residual(sr, hr)
        whole = residual.var(dim=(-3, -2, -1), keepdim=True)
        # The root of a residual without variance would have an infinite gradient.
        whole = whole.clamp(min=torch.finfo(whole.dtype).tiny).pow(0.2)
        artifacts = whole * _local_variance(residual, side=self.window_size)
        artifacts = torch.where(residual < _residual(average, hr), 0.0, artifacts)
        return (artifacts * (sr - hr)).abs().mean()


def _residual(image: Tensor, hr: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, 1, H, W)."""
    return (image - hr).abs().sum(dim=-3, keepdim=True)


def _local_variance(image: Tensor, *, side: int) -> Tensor:
    """The variance in the window around each pixel, (N, 1, H, W) -> (N, 1, H, W).

    It is the mean of the variances along x plus the variance of the means along x, which needs room for 2 n values per
    pixel, and not n^2.
    """
    padded = F.pad(image, [side // 2] * 4, mode="reflect")
    variances, means = torch.var_mean(padded.unfold(-1, side, 1), dim=-1, correction=0)
    inside = variances.unfold(-2, side, 1).mean(dim=-1)
    between = means.unfold(-2, side, 1).var(dim=-1, correction=0)
    return (inside + between) * (side**2 / (side**2 - 1))
