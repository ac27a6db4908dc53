"""The angle between spectra, for images of many bands."""

import math

import torch
from torch import Tensor, nn

from sr.losses.comparable import comparable


class SpectralAngleLoss(nn.Module):
    """mean over pixels of the angle in radians between the vectors of bands, arccos(<sr, hr> / (|sr| |hr|))

    It is computed as 2 atan2(|u - v|, |u + v|) of the unit vectors u and v, which has a gradient everywhere (0 for
    equal vectors) and all its digits near 0, where arccos has neither. A brighter or darker spectrum is the same to it,
    so it is no loss on its own.

    Source: Kruse et al., "The spectral image processing system (SIPS)", Remote Sensing of Environment 1993.

    A vector no longer than `eps` has no direction. Beside one that has, the angle counts as pi/2, beside another as 0;
    both give no gradient.

    Shapes: `sr` and `hr` (N, C, H, W), C at least 2; returns a scalar of at least float32 in [0, pi], which is 0 for
    equal images.

    Args:
        eps: the length of a vector in units of the image from which it has a direction, above 0. Gradients are at most
            1 / eps.

    Raises:
        ValueError: `eps` is not above 0, images have one band, or shapes differ.
    """

    def __init__(self, *, eps: float = 1e-3) -> None:
        super().__init__()
        if not (math.isfinite(eps) and eps > 0):
            raise ValueError(f"eps={eps} must be finite and greater than 0")
        self.eps = eps

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        sr, hr = comparable(sr, hr)
        if sr.shape[1] < 2:
            raise ValueError(f"an angle needs at least 2 bands, got {sr.shape[1]}; leave this loss out")
        (u, directed_u), (v, directed_v) = self._direction(sr), self._direction(hr)
        angles = 2 * torch.atan2(_length(u - v), _length(u + v))
        right = (directed_u ^ directed_v).to(angles.dtype) * (math.pi / 2)
        return torch.where(directed_u & directed_v, angles, right).mean()

    def _direction(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors (N, C, H, W), and where there are any (N, 1, H, W); elsewhere the first axis stands in."""
        lengths = _length(images)
        directed = lengths > self.eps
        axis = torch.zeros_like(images[:1, :, :1, :1])
        axis[:, 0] = 1
        return torch.where(directed, images / lengths.clamp(min=self.eps), axis), directed


def _length(images: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, 1, H, W), with a gradient of 0 at 0."""
    # torch's vector_norm is many times slower along an axis that is not the last.
    squares = images.square().sum(dim=1, keepdim=True)
    positive = squares > 0
    return torch.where(positive, torch.where(positive, squares, 1).sqrt(), 0)
