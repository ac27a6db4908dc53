"""SRVGGNetCompact, Real-ESRGAN's small generator: a plain stack of convolutions at the low resolution."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.archs.bicubic import upsample_bicubic
from sr.archs.bicubic_start import start_at_bicubic
from sr.archs.sizes import check_choice, check_same_channels, check_sizes
from sr.archs.upsampling import upsample_nearest

Skip = Literal["nearest", "bicubic"]
Activation = Literal["prelu", "relu", "leakyrelu"]
# The slope below zero of each activation, at the start for one that learns it.
_SLOPES: dict[Activation, float] = {"prelu": 0.25, "relu": 0.0, "leakyrelu": 0.1}


class SRVGGNetCompact(nn.Module):
    """`num_conv` + 2 convolutions with activations between them, pixel shuffle, plus the upsampled input.

    (N, in_channels, H, W) float in [0, 1] -> (N, out_channels, H*scale, W*scale), not clamped, any H, W >= 1.

    `skip` is how the input is upsampled. "nearest" is what every published checkpoint was trained with.
    With "bicubic" no parameter tells the difference: a tool of the field that loads such a net adds the
    nearest-upsampled input and shows blocky edges, without an error. Either way a new net starts at the bicubic
    baseline, from which it learns sooner; with "nearest" the first weights make up the difference, which takes four
    features for each channel.

    `activation` is PReLU in all published checkpoints. ReLU, and leaky ReLU with a slope of 0.1, have no parameters, so
    tools of the field do not recognise nets with them.

    Source: the Real-ESRGAN repository (realesr-animevideov3: 16 convolutions, realesr-general-x4v3: 32),
    whose parameter names these are.

    Args:
        scale: the factor of enlargement, 1 or more.
        in_channels: channels of the input.
        out_channels: channels of the output, as many as of the input.
        num_feat: channels of the features inside.
        num_conv: the number of convolutions between the first and the last.
        skip: the way of upsampling the input, "nearest" or "bicubic".
        activation: the activation after each convolution, "prelu", "relu" or "leakyrelu".

    Raises:
        ValueError: `scale` or a `num_*` is below 1, `skip` or `activation` is unknown, or `out_channels` is
            not `in_channels`.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
        num_feat: int = 64,
        num_conv: int = 32,
        skip: Skip = "nearest",
        activation: Activation = "prelu",
    ) -> None:
        super().__init__()
        check_sizes(num_feat=num_feat, num_conv=num_conv)
        if scale < 1:
            raise ValueError(f"scale={scale} must be a positive integer")
        check_choice("skip", skip, Skip)
        check_choice("activation", activation, Activation)
        check_same_channels(in_channels, out_channels)
        self.scale = scale
        self.skip = skip
        # One flat list, because the published names number convolutions and activations in one count.
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, num_feat, 3, padding=1), _activation(activation, num_feat=num_feat)
        )
        for _ in range(num_conv):
            self.body.append(nn.Conv2d(num_feat, num_feat, 3, padding=1))
            self.body.append(_activation(activation, num_feat=num_feat))
        self.body.append(nn.Conv2d(num_feat, out_channels * scale**2, 3, padding=1))
        self._initialise(slope=_SLOPES[activation])

    def _initialise(self, *, slope: float) -> None:
        convs = [layer for layer in self.body if isinstance(layer, nn.Conv2d)]
        for conv in convs:
            # Keeps the signal at its strength through the stack; PyTorch's default weakens it at every layer,
            # and the net then stays at its starting point for hundreds of iterations.
            nn.init.kaiming_normal_(conv.weight, a=slope)
            assert conv.bias is not None
            nn.init.zeros_(conv.bias)
        with torch.no_grad():
            # Start as (almost) the skip alone: a full-strength last layer starts as noise at 9 dB, and to be
            # rid of it the net first silences itself. PSNR above the skip after 400 iterations (photographs,
            # 12 convs, 32 feat): 2.4 dB with 0.01, 0.0 with 1. Not 0, which stops the first step's gradient.
            convs[-1].weight.mul_(0.01)
        if self.skip == "nearest":
            start_at_bicubic(convs, scale=self.scale)

    def forward(self, lr: Tensor) -> Tensor:
        residual = F.pixel_shuffle(self.body(lr), self.scale)
        if self.skip == "bicubic":
            return residual + upsample_bicubic(lr, scale=self.scale)
        return residual + upsample_nearest(lr, scale=self.scale)


def _activation(name: Activation, *, num_feat: int) -> nn.Module:
    if name == "prelu":
        return nn.PReLU(num_feat, init=_SLOPES[name])
    return nn.ReLU() if name == "relu" else nn.LeakyReLU(_SLOPES[name])
