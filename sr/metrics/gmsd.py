"""GMSD: where edges are stronger or weaker than in the original."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor

from sr.metrics.color import luma
from sr.metrics.measure import Measure
from sr.metrics.quantity import LOWER, Quantity

_STABLE = 170 / 255**2  # T = 170 of the paper, for images in [0, 1]


class GMSD(Measure):
    """The standard deviation over the image of (2 g h + T) / (g^2 + h^2 + T): 0 for equal images, lower is better.

    g and h are the gradient magnitudes (Prewitt) of SR and HR, on luma averaged over 2 x 2 pixels. Source: Xue et al.,
    "Gradient Magnitude Similarity Deviation", IEEE Transactions on Image Processing 2014, eq. 4 to 6.
    """

    quantities = MappingProxyType({"gmsd": Quantity(better=LOWER, digits=".4f", title="GMSD")})
    smallest = 6  # three positions of a gradient

    def describe(self) -> dict[str, str]:
        return {
            "gmsd": "Xue et al. 2014, gradient magnitude similarity deviation on luma (or gray); lower is better"
        }

    @torch.no_grad()
    def __call__(self, sr: Tensor, hr: Tensor) -> Mapping[str, Tensor]:
        g, h = (_magnitude(images) for images in (sr, hr))
        similarity = (2 * g * h + _STABLE) / (g.square() + h.square() + _STABLE)
        return {"gmsd": similarity.flatten(1).std(dim=1, correction=0)}


def _magnitude(images: Tensor) -> Tensor:
    gray = luma(images) if images.shape[1] == 3 else images.mean(dim=1, keepdim=True)
    small = F.avg_pool2d(gray, 2)
    prewitt = small.new_tensor([[1, 0, -1]] * 3) / 3
    kernels = torch.stack([prewitt, prewitt.T])[:, None]
    return F.conv2d(small, kernels).square().sum(dim=1).sqrt()
