"""PLKSR: a convolution with a large kernel on a part of the channels stands in for attention."""

from typing import Literal

import torch
from torch import Tensor, nn

from sr.archs.memory import Memory, run_block
from sr.archs.sizes import check_choice, check_same_channels, check_sizes
from sr.archs.upsampling import upsample_nearest

ChannelMixer = Literal["CCM", "ICCM", "DCCM"]
# Kernel sizes of the two convolutions of a channel mixer (sec. 3.3).
_KERNELS: dict[ChannelMixer, tuple[int, int]] = {"CCM": (3, 1), "ICCM": (1, 3), "DCCM": (3, 3)}
# The deviation of the first weights, in the published code.
_SPREAD = 0.02


class PLKSR(nn.Module):
    """Convolution, `num_block` blocks, convolution and a pixel shuffle; plus the nearest-upsampled input.

    (N, in_channels, H, W) float in [0, 1] -> (N, out_channels, H*scale, W*scale), not clamped, any H, W >= 1.

    `ccm_type` is the channel mixer: DCCM, with two 3 x 3 convolutions, is the paper's choice. The large kernel, of
    `kernel_size`, sees a share `split_ratio` of the features; `use_ea` has the element-wise attention. The paper's
    ablations with sparse or rectangular kernels are not here.

    Source: Lee et al., "Partial large kernel CNNs for efficient super-resolution", 2024, sec. 3. Parameter names are
    those of its published code, a misspelt one included.

    Args:
        scale: the factor of enlargement, 1 or more.
        in_channels: channels of the input.
        out_channels: channels of the output, as many as of the input.
        num_feat: channels of the features inside.
        num_block: the number of blocks.
        ccm_type: the channel mixer, "DCCM", "CCM" or "ICCM".
        kernel_size: the side of the large kernel in pixels, an odd number.
        split_ratio: the share of the features that the large kernel sees, above 0 and at most 1.
        use_ea: whether the element-wise attention is there.
        memory: the part that is kept for the backward pass, "auto", "plain" or "checkpoint", see `sr.archs.memory`.

    Raises:
        ValueError: `scale` or a `num_*` is below 1, `out_channels` is not `in_channels`, `kernel_size` is even,
            `split_ratio` leaves no feature or more than all, or `ccm_type` or `memory` is none of its choices.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
        num_feat: int = 64,
        num_block: int = 28,
        ccm_type: ChannelMixer = "DCCM",
        kernel_size: int = 17,
        split_ratio: float = 0.25,
        use_ea: bool = True,
        memory: Memory = "auto",
    ) -> None:
        super().__init__()
        check_sizes(scale=scale, num_feat=num_feat, num_block=num_block)
        check_same_channels(in_channels, out_channels)
        check_choice("memory", memory, Memory)
        check_choice("ccm_type", ccm_type, ChannelMixer)
        large = large_kernel_features(num_feat, kernel_size=kernel_size, split_ratio=split_ratio)
        self.scale = scale
        self.memory = memory
        blocks = (
            PLKBlock(
                num_feat=num_feat, num_large=large, ccm_type=ccm_type, kernel_size=kernel_size, use_ea=use_ea
            )
            for _ in range(num_block)
        )
        self.feats = nn.Sequential(
            nn.Conv2d(in_channels, num_feat, 3, padding=1),
            *blocks,
            nn.Conv2d(num_feat, out_channels * scale**2, 3, padding=1),
        )
        start_small(self.feats[0], self.feats[-1])
        self.to_img = nn.PixelShuffle(scale)

    def forward(self, lr: Tensor) -> Tensor:
        features = lr
        for layer in self.feats:
            features = run_block(layer, features, memory=self.memory)
        sr: Tensor = self.to_img(features) + upsample_nearest(lr, scale=self.scale)
        return sr


class PLKBlock(nn.Module):
    """Channel mixer, large kernel, attention, 1 x 1 convolution; plus the input (fig. 2)."""

    def __init__(
        self, *, num_feat: int, num_large: int, ccm_type: ChannelMixer, kernel_size: int, use_ea: bool
    ) -> None:
        super().__init__()
        # Misspelt, as in the published files.
        self.channe_mixer = channel_mixer(num_feat, _KERNELS[ccm_type], activation=nn.GELU())
        self.lk = PartialLargeKernel(num_large, kernel_size=kernel_size)
        self.attn = ElementwiseAttention(num_feat) if use_ea else nn.Identity()
        self.refine = nn.Conv2d(num_feat, num_feat, 1)
        start_small(self.refine)

    def forward(self, features: Tensor) -> Tensor:
        branch: Tensor = self.refine(self.attn(self.lk(self.channe_mixer(features))))
        return features + branch


def channel_mixer(num_feat: int, kernels: tuple[int, int], *, activation: nn.Module) -> nn.Sequential:
    """Two convolutions with twice the features between them (sec. 3.3)."""
    first, second = kernels
    mixer = nn.Sequential(
        nn.Conv2d(num_feat, 2 * num_feat, first, padding=first // 2),
        activation,
        nn.Conv2d(2 * num_feat, num_feat, second, padding=second // 2),
    )
    start_small(mixer[-1])
    return mixer


class PartialLargeKernel(nn.Module):
    """A convolution with a large kernel on the first features; the others pass (sec. 3.2)."""

    def __init__(self, num_feat: int, *, kernel_size: int) -> None:
        super().__init__()
        self.num_feat = num_feat
        self.conv = nn.Conv2d(num_feat, num_feat, kernel_size, padding=kernel_size // 2)
        start_small(self.conv)

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat((self.conv(features[:, : self.num_feat]), features[:, self.num_feat :]), dim=1)


class ElementwiseAttention(nn.Module):
    """Features times the sigmoid of a 3 x 3 convolution of them (sec. 3.4)."""

    def __init__(self, num_feat: int) -> None:
        super().__init__()
        self.f = nn.Sequential(nn.Conv2d(num_feat, num_feat, 3, padding=1), nn.Sigmoid())
        start_small(self.f[0])

    def forward(self, features: Tensor) -> Tensor:
        weight: Tensor = self.f(features)
        return features * weight


def large_kernel_features(num_feat: int, *, kernel_size: int, split_ratio: float) -> int:
    """How many features the large kernel sees.

    Raises:
        ValueError: none or more than there are, or the kernel has no middle.
    """
    if kernel_size < 1 or not kernel_size % 2:
        raise ValueError(f"kernel_size={kernel_size} must be odd")
    large = int(num_feat * split_ratio)
    if not 1 <= large <= num_feat:
        raise ValueError(
            f"split_ratio={split_ratio} of num_feat={num_feat} must be from 1 to {num_feat} features"
        )
    return large


def start_small(*convs: nn.Module) -> None:
    """Give convolutions the start of the published code: a truncated normal distribution, and torch's biases."""
    for conv in convs:
        assert isinstance(conv, nn.Conv2d)
        nn.init.trunc_normal_(conv.weight, std=_SPREAD)
