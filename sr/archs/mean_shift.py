"""The mean colour of DIV2K, taken off an image and put on again, as EDSR and RCAN do."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.archs.autocast import without_autocast
from sr.archs.div2k import mean_colour


class MeanShift(nn.Module):
    """image + sign * img_range * mean, as a 1 x 1 convolution whose tensors are never trained.

    (N, C, H, W) in [0, img_range] -> the same, in fp32 even under autocast, which would round an image to 8 bits.
    The mean is zero unless there are three channels. The tensors are in the state because published files hold them,
    and are taken from there.

    Source: the code of Lim et al., "Enhanced deep residual networks for single image super-resolution", 2017.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, *, channels: int, img_range: float, sign: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.eye(channels).reshape(channels, channels, 1, 1))
        self.register_buffer("bias", sign * img_range * mean_colour(channels).flatten())

    def forward(self, image: Tensor) -> Tensor:
        with without_autocast(image.device.type):
            return F.conv2d(image.to(self.weight.dtype), self.weight, self.bias)
