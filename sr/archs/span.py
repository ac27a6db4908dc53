"""SPAN, the swift parameter-free attention network: attention that is a function of the features themselves."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.archs.autocast import without_autocast
from sr.archs.div2k import mean_colour
from sr.archs.sizes import check_positive, check_sizes

# How many times as many channels a convolution has inside while it is trained.
_GAIN = 2


class SPAN(nn.Module):
    """Six blocks of three convolutions; a 1 x 1 convolution joins early and late features, and pixels are shuffled.

    (N, in_channels, H, W) float in [0, 1] -> (N, out_channels, H*scale, W*scale), not clamped, any H, W >= 1.
    `norm` has the net see (image - mean) * img_range instead of the image, with the mean colour of DIV2K (zero unless
    there are three channels). As published, its output is the image itself all the same.

    Every 3 x 3 convolution is trained as a branch of three convolutions beside a 1 x 1 one (sec. 3.4). All of that is
    linear, so it computes as a single convolution here, in training too: see `Conv3XC`, which also says what is stored.

    Source: Wan et al., "Swift parameter-free attention network for efficient super-resolution", 2024, sec. 3, fig. 3.
    Parameter names are those of its published code; tools of the field know `num_block=6` alone. No tensor holds
    `img_range`; the buffer `no_norm` marks a net without `norm`.

    Args:
        scale: the factor of enlargement, 1 or more.
        in_channels: channels of the input.
        out_channels: channels of the output.
        num_feat: channels of the features inside.
        num_block: the number of blocks; 6 as published.
        norm: whether the mean colour of DIV2K is subtracted and values are multiplied by `img_range`.
        img_range: the factor by which values in [0, 1] are multiplied inside.

    Raises:
        ValueError: `scale` or a `num_*` is below 1, or `img_range` is not positive.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
        num_feat: int = 48,
        num_block: int = 6,
        norm: bool = True,
        img_range: float = 255.0,
    ) -> None:
        super().__init__()
        check_sizes(scale=scale, num_feat=num_feat, num_block=num_block)
        check_positive(img_range=img_range)
        self.norm = norm
        self.img_range = img_range
        self.num_block = num_block
        self.mean: Tensor
        self.register_buffer("mean", mean_colour(in_channels), persistent=False)
        if not norm:
            self.register_buffer("no_norm", torch.zeros(1))
        self.conv_1 = Conv3XC(in_channels, num_feat)
        # One by one and not in a list: the published files have block_1, block_2.
        for number in range(1, num_block + 1):
            self.add_module(f"block_{number}", SPAB(num_feat=num_feat))
        self.conv_cat = nn.Conv2d(4 * num_feat, num_feat, 1)
        self.conv_2 = Conv3XC(num_feat, num_feat)
        self.upsampler = nn.Sequential(
            nn.Conv2d(num_feat, out_channels * scale**2, 3, padding=1), nn.PixelShuffle(scale)
        )

    def forward(self, lr: Tensor) -> Tensor:
        shallow = self.conv_1((lr - self.mean) * self.img_range if self.norm else lr)
        outputs, inner = [shallow], shallow
        for number in range(1, self.num_block + 1):
            output, inner = getattr(self, f"block_{number}")(outputs[-1])
            outputs.append(output)
        deep = self.conv_2(outputs[-1])
        features = self.conv_cat(torch.cat((shallow, deep, outputs[1], inner), dim=1))
        sr: Tensor = self.upsampler(features)
        return sr


class SPAB(nn.Module):
    """O = (I + H) * (sigmoid(H) - 1/2), where H are the features of three convolutions with SiLU between (eq. 4 to 6).

    Gives O and the activated features of the first convolution: published code activates those in place, so it is they
    that its last block hands on, and not the features before the activation as in fig. 3.
    """

    def __init__(self, *, num_feat: int) -> None:
        super().__init__()
        self.c1_r = Conv3XC(num_feat, num_feat)
        self.c2_r = Conv3XC(num_feat, num_feat)
        self.c3_r = Conv3XC(num_feat, num_feat)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        inner = F.silu(self.c1_r(features))
        high = self.c3_r(F.silu(self.c2_r(inner)))
        attention = torch.sigmoid(high) - 0.5
        return (features + high) * attention, inner


class Conv3XC(nn.Module):
    """A 3 x 3 convolution whose weights are those of four: 1 x 1 expansion, 3 x 3, 1 x 1 shrinkage, and a 1 x 1 skip.

    The four are the parameters. Their composition is one convolution exactly, borders included, because the image is
    padded before the expansion and not after it; so `forward` merges the weights and convolves once. It merges them
    every time, which costs as much as a few hundred pixels: whatever changed the parameters, the result is right, and
    training needs neither the time nor the memory of the wide features. Under autocast it merges in fp32.

    `eval_conv` holds merged weights as buffers, because the published files store them and graphs of exporters take
    them for constants. They are merged anew by `eval()`, by loading and by `state_dict()`, so a file with stale ones
    or without any gives the same net. Only between an in-place change of the parameters and the next of these three are
    they old, and only an exporter would see it.
    """

    recomputed_buffers = ("eval_conv.weight", "eval_conv.bias")  # a file may lack them

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.sk = nn.Conv2d(in_channels, out_channels, 1)
        self.conv = nn.Sequential(
            nn.Conv2d(in_channels, _GAIN * in_channels, 1),
            nn.Conv2d(_GAIN * in_channels, _GAIN * out_channels, 3),
            nn.Conv2d(_GAIN * out_channels, out_channels, 1),
        )
        self.eval_conv = _Merged(in_channels, out_channels)
        self.register_load_state_dict_post_hook(_merge_after_loading)  # type: ignore[no-untyped-call]
        self.merge()

    def forward(self, features: Tensor) -> Tensor:
        tracing: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        if tracing or torch.compiler.is_exporting():
            return F.conv2d(features, self.eval_conv.weight, self.eval_conv.bias, padding=1)
        return F.conv2d(features, *self.merged(), padding=1)

    def merged(self) -> tuple[Tensor, Tensor]:
        """Weight (out, in, 3, 3) and bias (out) of the single convolution, with gradients to the four."""
        with without_autocast(self.sk.weight.device.type):
            # In fp32 at least: rounding a product of three to bf16 twice would add up.
            exact = torch.promote_types(self.sk.weight.dtype, torch.float32)
            (expand, expand_bias), (middle, middle_bias), (shrink, shrink_bias), (skip, skip_bias) = (
                (conv.weight.to(exact), conv.bias.to(exact)) for conv in (*self.conv, self.sk)
            )
            expand, shrink = expand.flatten(1), shrink.flatten(1)
            weight = torch.einsum("omhw,mi->oihw", middle, expand)
            weight = torch.einsum("po,oihw->pihw", shrink, weight) + F.pad(skip, (1, 1, 1, 1))
            bias = shrink @ (middle.sum((2, 3)) @ expand_bias + middle_bias) + shrink_bias + skip_bias
        return weight.to(self.sk.weight.dtype), bias.to(self.sk.weight.dtype)

    @torch.no_grad()
    def merge(self) -> None:
        """Bring `eval_conv` up to date."""
        weight, bias = self.merged()
        self.eval_conv.weight.copy_(weight)
        self.eval_conv.bias.copy_(bias)

    def train(self, mode: bool = True) -> "Conv3XC":
        super().train(mode)
        if not mode:
            self.merge()
        return self

    def _save_to_state_dict(self, *arguments: Any) -> None:
        self.merge()
        super()._save_to_state_dict(*arguments)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *arguments: Any) -> None:
        for name in self.recomputed_buffers:
            state_dict.setdefault(prefix + name, self.get_buffer(name))
        super()._load_from_state_dict(state_dict, prefix, *arguments)


class _Merged(nn.Module):
    weight: Tensor
    bias: Tensor

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(out_channels, in_channels, 3, 3))
        self.register_buffer("bias", torch.zeros(out_channels))


def _merge_after_loading(module: nn.Module, incompatible_keys: Any) -> None:
    assert isinstance(module, Conv3XC)
    module.merge()
