"""Enhanced spatial attention, a mask for every pixel and channel out of a coarse view of the surroundings."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SMALLEST = 15  # the smallest side that leaves a pixel after a 3 x 3 convolution by 2 and a maximum over 7 x 7


class EnhancedSpatialAttention(nn.Module):
    """Features times a mask between 0 and 1: (N, num_feat, H, W) -> the same, H, W >= 15.

    Source: Liu et al., "Residual Feature Aggregation Network for Image Super-Resolution", CVPR 2020, sec. 3.3, with a
    single convolution behind the pooling, as later light nets have it.

    Args:
        num_feat: channels of the features.
        hidden: channels in which the mask is made.
    """

    def __init__(self, *, num_feat: int, hidden: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(num_feat, hidden, 1)
        self.conv_f = nn.Conv2d(hidden, hidden, 1)
        self.conv2 = nn.Conv2d(hidden, hidden, 3, stride=2)
        self.conv3 = nn.Conv2d(hidden, hidden, 3, padding=1)
        self.conv4 = nn.Conv2d(hidden, num_feat, 1)

    def forward(self, features: Tensor) -> Tensor:
        reduced = self.conv1(features)
        coarse = self.conv3(max_pool(self.conv2(reduced), size=7, step=3))
        height, width = features.shape[-2:]
        mask = self.conv4(resize_bilinear(coarse, height=height, width=width) + self.conv_f(reduced))
        attended: Tensor = features * mask.sigmoid()
        return attended


def max_pool(image: Tensor, *, size: int, step: int) -> Tensor:
    """The largest values of squares of side `size`, one square every `step` pixels.

    Where dynamo traces, by comparisons of slices: the gradient of `F.max_pool2d` would be a `scatter_add` into zeros,
    for which the warning of `sr.archs.upsampling` holds too.
    """
    if not torch.compiler.is_dynamo_compiling():
        return F.max_pool2d(image, size, step)
    return _max_along(_max_along(image, dim=3, size=size, step=step), dim=2, size=size, step=step)


def _max_along(image: Tensor, *, dim: int, size: int, step: int) -> Tensor:
    last = (image.shape[dim] - size) // step * step  # where the last group begins
    parts = [image.narrow(dim, place, last + 1) for place in range(size)]
    largest, *others = [part[..., ::step] if dim == 3 else part[..., ::step, :] for part in parts]
    for other in others:
        # Not torch.maximum: of equal values the first alone gets the gradient, as in max_pool2d.
        largest = torch.where(other > largest, other, largest)
    return largest


def resize_bilinear(image: Tensor, *, height: int, width: int) -> Tensor:
    """(N, C, h, w) -> (N, C, height, width), linear between pixel centres (`align_corners=False`).

    By two products of matrices where dynamo traces, for the reason that `sr.archs.upsampling` gives.
    """
    if not torch.compiler.is_dynamo_compiling():
        return F.interpolate(image, (height, width), mode="bilinear", align_corners=False)
    rows = _linear_weights(image.shape[2], height, image)
    columns = _linear_weights(image.shape[3], width, image)
    return rows @ image @ columns.T


def _linear_weights(small: int, large: int, image: Tensor) -> Tensor:
    """(large, small): the share of every old pixel in every new one."""
    places = (torch.arange(large, device=image.device, dtype=torch.float32) + 0.5) * small / large - 0.5
    places = places.clamp(0, small - 1)
    distances = (places[:, None] - torch.arange(small, device=image.device)).abs()
    return (1 - distances).clamp(min=0).to(image.dtype)
