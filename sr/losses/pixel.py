"""Content losses that compare pixels, averaged over every element."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class L1Loss(nn.Module):
    """mean |sr - hr|

    Shapes: `sr` and `hr` alike, any number of dimensions; returns a scalar of at least float32.
    Raises ValueError when the shapes differ (broadcasting would compare the wrong pixels).
    """

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return F.l1_loss(*_comparable(sr, hr))


class MSELoss(nn.Module):
    """mean (sr - hr)^2

    Shapes: `sr` and `hr` alike, any number of dimensions; returns a scalar of at least float32.
    Raises ValueError when the shapes differ.
    """

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return F.mse_loss(*_comparable(sr, hr))


class CharbonnierLoss(nn.Module):
    """mean sqrt((sr - hr)^2 + eps^2), a smooth L1 with curvature 1/eps at zero.

    Source: Lai et al., LapSRN, CVPR 2017, section "Loss function", with its eps = 1e-3. Some implementations
    write sqrt(d^2 + eps) with eps = 1e-12; that is this loss with eps = 1e-6.

    Shapes: `sr` and `hr` alike, any number of dimensions; returns a scalar of at least float32; it is eps,
    not 0, for equal images.

    Args:
        eps: the smoothing in units of the image, above 0.

    Raises:
        ValueError: `eps` is not above 0 (the gradient at equal pixels would be NaN), or shapes differ.
    """

    def __init__(self, *, eps: float = 1e-3) -> None:
        super().__init__()
        if not (math.isfinite(eps) and eps > 0):
            raise ValueError(f"eps={eps} must be finite and greater than 0")
        self.eps = eps

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        sr, hr = _comparable(sr, hr)
        return ((sr - hr).square() + self.eps**2).sqrt().mean()


def _comparable(sr: Tensor, hr: Tensor) -> tuple[Tensor, Tensor]:
    """Both in the wider of their types, at least float32: half-precision means and squares lose digits."""
    if sr.shape != hr.shape:
        raise ValueError(
            f"sr has shape {tuple(sr.shape)} and hr has {tuple(hr.shape)}; they must be the same"
        )
    dtype = torch.promote_types(torch.promote_types(sr.dtype, hr.dtype), torch.float32)
    return sr.to(dtype), hr.to(dtype)
