"""Content losses that compare pixels, averaged over every element."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from sr.losses.comparable import comparable


class L1Loss(nn.Module):
    """mean |sr - hr|

    Shapes: `sr` and `hr` alike, any number of dimensions; returns a scalar of at least float32.
    Raises ValueError when the shapes differ (broadcasting would compare the wrong pixels).
    """

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return F.l1_loss(*comparable(sr, hr))


class MSELoss(nn.Module):
    """mean (sr - hr)^2

    Shapes: `sr` and `hr` alike, any number of dimensions; returns a scalar of at least float32.
    Raises ValueError when the shapes differ.
    """

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return F.mse_loss(*comparable(sr, hr))


class CharbonnierLoss(nn.Module):
    """mean ((sr - hr)^2 + eps^2)^alpha, with alpha = 1/2 a smooth L1 with curvature 1/eps at zero.

    Source: Lai et al., LapSRN, CVPR 2017, section "Loss function", with its eps = 1e-3 and alpha = 1/2. Some
    implementations write sqrt(d^2 + eps) with eps = 1e-12; that is this loss with eps = 1e-6. Other exponents: the
    generalized Charbonnier penalty of Sun, Roth and Black, CVPR 2010 and IJCV 2014, whose alpha is 0.45. Below 1/2
    large differences weigh less than in L1; at 1 it is the squared difference.

    Shapes: `sr` and `hr` alike, any number of dimensions; returns a scalar of at least float32; it is
    eps^(2 alpha), not 0, for equal images.

    Args:
        eps: the smoothing in units of the image, above 0.
        alpha: the exponent, above 0 and at most 1.

    Raises:
        ValueError: `eps` is not above 0 (the gradient at equal pixels would be NaN), `alpha` is out of range, or
            shapes differ.
    """

    def __init__(self, *, eps: float = 1e-3, alpha: float = 0.5) -> None:
        super().__init__()
        if not (math.isfinite(eps) and eps > 0):
            raise ValueError(f"eps={eps} must be finite and greater than 0")
        if not 0 < alpha <= 1:
            raise ValueError(f"alpha={alpha} must be greater than 0 and at most 1")
        self.eps = eps
        self.alpha = alpha

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        sr, hr = comparable(sr, hr)
        smoothed = (sr - hr).square() + self.eps**2
        # The root and its gradient are faster than those of a power, and not the same to the last bit.
        return (smoothed.sqrt() if self.alpha == 0.5 else smoothed.pow(self.alpha)).mean()
