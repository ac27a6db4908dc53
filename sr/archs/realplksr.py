"""RealPLKSR: PLKSR with norms, so that it trains stably with a GAN on real degradations."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.archs.dysample import DySample
from sr.archs.memory import Memory, run_block
from sr.archs.plksr import (
    ElementwiseAttention,
    PartialLargeKernel,
    channel_mixer,
    large_kernel_features,
    start_small,
)
from sr.archs.sizes import check_choice, check_same_channels, check_sizes
from sr.archs.upsampling import upsample_nearest

Upsampler = Literal["pixelshuffle", "dysample"]


class RealPLKSR(nn.Module):
    """Convolution, `num_block` blocks, convolution; plus the input, and an upsampler.

    (N, in_channels, H, W) float in [0, 1] -> (N, out_channels, H*scale, W*scale), not clamped, any H, W >= 1.

    `layer_norm` normalises the channels of every pixel at the beginning of a block. Without it a group norm of
    `norm_groups` groups ends the block instead, as in the first files: its statistics are those of the whole picture,
    so tiles of a picture are not quite the picture. `upsampler` is a pixel shuffle, or DySample for places that are
    learned. The other arguments are those of PLKSR.

    Source: the authors of PLKSR (Lee et al., 2024) for neosr, 2024; layer norm: traiNNer-redux. Parameter names are
    those of these files. No tensor holds `norm_groups`.

    Args:
        scale: the factor of enlargement, 1 or more.
        in_channels: channels of the input.
        out_channels: channels of the output, as many as of the input.
        num_feat: channels of the features inside.
        num_block: the number of blocks.
        kernel_size: the side of the large kernel in pixels, an odd number.
        split_ratio: the share of the features that the large kernel sees, above 0 and at most 1.
        use_ea: whether the element-wise attention is there.
        norm_groups: the number of groups of the group norm, a divisor of `num_feat`; unused with `layer_norm`.
        layer_norm: whether a layer norm begins each block, instead of a group norm at its end.
        upsampler: the end of the net, "pixelshuffle" or "dysample".
        memory: the part that is kept for the backward pass, "auto", "plain" or "checkpoint", see `sr.archs.memory`.

    Raises:
        ValueError: `scale` or a `num_*` is below 1, `out_channels` is not `in_channels`, `kernel_size` is even,
            `split_ratio` leaves no feature or more than all, `num_feat` is not a multiple of `norm_groups`, the
            channels do not suit `upsampler`, or that or `memory` is none of its choices.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
        num_feat: int = 64,
        num_block: int = 28,
        kernel_size: int = 17,
        split_ratio: float = 0.25,
        use_ea: bool = True,
        norm_groups: int = 4,
        layer_norm: bool = True,
        upsampler: Upsampler = "pixelshuffle",
        memory: Memory = "auto",
    ) -> None:
        super().__init__()
        check_sizes(scale=scale, num_feat=num_feat, num_block=num_block, norm_groups=norm_groups)
        check_same_channels(in_channels, out_channels)
        check_choice("memory", memory, Memory)
        check_choice("upsampler", upsampler, Upsampler)
        if not layer_norm and num_feat % norm_groups:
            raise ValueError(f"num_feat={num_feat} must be a multiple of norm_groups={norm_groups}")
        large = large_kernel_features(num_feat, kernel_size=kernel_size, split_ratio=split_ratio)
        self.scale = scale
        self.memory = memory
        blocks = (
            PLKBlock(
                num_feat=num_feat,
                num_large=large,
                kernel_size=kernel_size,
                use_ea=use_ea,
                norm_groups=0 if layer_norm else norm_groups,
            )
            for _ in range(num_block)
        )
        self.feats = nn.Sequential(
            nn.Conv2d(in_channels, num_feat, 3, padding=1),
            *blocks,
            nn.Identity(),  # a dropout of 0 in the published nets, which counts in the names
            nn.Conv2d(num_feat, out_channels * scale**2, 3, padding=1),
        )
        start_small(self.feats[0], self.feats[-1])
        self.to_img = _upsampler(upsampler, scale=scale, channels=out_channels)

    def forward(self, lr: Tensor) -> Tensor:
        features = lr
        for layer in self.feats:
            features = run_block(layer, features, memory=self.memory)
        if isinstance(self.to_img, DySample):
            # Every colour as often as there are pixels to be made of it, and sampled together with the features.
            features = features + lr.repeat_interleave(self.scale**2, dim=1)
            sampled: Tensor = self.to_img(features)
            return sampled
        sr: Tensor = self.to_img(features) + upsample_nearest(lr, scale=self.scale)
        return sr


def _upsampler(name: Upsampler, *, scale: int, channels: int) -> nn.Module:
    if name == "pixelshuffle":
        return nn.PixelShuffle(scale)
    # As published: four groups share the channels of an even scale, and each colour has its own at an odd one.
    groups = channels if scale % 2 else 4
    return DySample(
        in_channels=channels * scale**2, out_channels=channels, scale=scale, groups=groups, mix=scale > 1
    )


class PLKBlock(nn.Module):
    """(Layer norm,) channel mixer, large kernel, attention, 1 x 1 convolution (, group norm); plus the input."""

    def __init__(
        self, *, num_feat: int, num_large: int, kernel_size: int, use_ea: bool, norm_groups: int
    ) -> None:
        super().__init__()
        self.layer_norm = nn.Identity() if norm_groups else LayerNorm(num_feat)
        self.channel_mixer = channel_mixer(num_feat, (3, 3), activation=nn.Mish())
        self.lk = PartialLargeKernel(num_large, kernel_size=kernel_size)
        self.attn = ElementwiseAttention(num_feat) if use_ea else nn.Identity()
        self.refine = nn.Conv2d(num_feat, num_feat, 1)
        start_small(self.refine)
        self.norm = GroupNorm(norm_groups, num_feat) if norm_groups else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        mixed = self.lk(self.channel_mixer(self.layer_norm(features)))
        branch: Tensor = self.norm(self.refine(self.attn(mixed)))
        return features + branch


class LayerNorm(nn.Module):
    """The channels of each pixel, minus their mean and divided by their deviation, in fp32 at least."""

    def __init__(self, num_feat: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(num_feat))
        self.bias = nn.Parameter(torch.zeros(num_feat))

    def forward(self, features: Tensor) -> Tensor:
        exact = features.to(torch.promote_types(features.dtype, torch.float32))
        centred = exact - exact.mean(1, keepdim=True)
        normed = centred * torch.rsqrt(centred.square().mean(1, keepdim=True) + 1e-6)
        return (self.weight[:, None, None] * normed + self.bias[:, None, None]).to(features.dtype)


class GroupNorm(nn.GroupNorm):
    """torch's, in fp32 at least, as autocast has it on GPUs: compiled in bf16, gradients would be a percent off."""

    def forward(self, features: Tensor) -> Tensor:
        exact = features.to(torch.promote_types(features.dtype, torch.float32))
        weight, bias = self.weight.to(exact.dtype), self.bias.to(exact.dtype)
        return F.group_norm(exact, self.num_groups, weight, bias, self.eps).to(features.dtype)
