"""SwinIR: residual groups of Swin Transformer blocks, attention in windows that every second block shifts by half."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from torch import Tensor, nn

from sr.archs.div2k import mean_colour
from sr.archs.memory import Memory
from sr.archs.padding import pad_to_multiple
from sr.archs.position_bias import pair_indices
from sr.archs.published_constants import publish_constants
from sr.archs.residual_group import Blocks, ResidualGroup, residual_conv
from sr.archs.sizes import check_choice, check_positive, check_same_channels, check_scale, check_sizes
from sr.archs.stochastic_depth import gains_of_groups, rising_rates
from sr.archs.swin_block import SwinBlock
from sr.archs.upsampling import SHUFFLE_STEPS, PixelShuffleSteps, upsample_nearest
from sr.archs.window_attention import TokenNorm, check_windows, initialise_transformer
from sr.archs.windows import shift_mask

Upsampler = Literal["pixelshuffle", "pixelshuffledirect", "nearest+conv", ""]
ResidualConv = Literal["1conv", "3conv"]


class SwinIR(nn.Module):
    """SwinIR.

    (N, in_channels, H, W) float in [0, 1] -> (N, out_channels, H*scale, W*scale), not clamped, any H, W >= 1. An image
    whose sides `window_size` does not divide is continued by reflection, and its result cropped.

    Source: Liang et al., "SwinIR: Image Restoration Using Swin Transformer", ICCVW 2021, sec. 3. Parameter names are
    those of its published checkpoints, which also hold constants that the net makes itself (`relative_position_index`,
    and `attn_mask` for one size of images).

    Args:
        scale: 1, 2, 3, 4 or 8; 1 alone without an upsampler.
        in_channels: channels of the input. With three, the mean colour of DIV2K is subtracted from them.
        out_channels: channels of the output, to which that mean is added.
        embed_dim: channels of the transformer, a multiple of every number of heads.
        depths: the number of blocks in each residual group.
        num_heads: the number of attention heads in each residual group.
        window_size: side of the windows, 2 or more.
        mlp_ratio: hidden channels of the layers at every pixel, as a multiple of `embed_dim`.
        upsampler: the way from features to the larger image. "pixelshuffle" is that of classical SR,
            "pixelshuffledirect" a single convolution (lightweight SR), "nearest+conv" nearest neighbours between
            convolutions (real-world SR; by 3 it enlarges once), and "" none at all: the net adds a correction to its
            input (denoising, JPEG).
        num_feat: channels of "pixelshuffle" and "nearest+conv" from the last group on.
        resi_connection: the convolutions that end each residual group, "1conv", or "3conv" with a fourth of the
            channels inside.
        img_range: the factor by which values in [0, 1] are multiplied inside; 255 in the published JPEG nets.
        drop_path_rate: rate of stochastic depth at the last block, see `sr.archs.stochastic_depth`.
        img_size: side of the image for which files hold `attn_mask`, a multiple of `window_size`: the published nets
            have that of the LR patches they were trained on. It changes nothing that the net computes.
        memory: the part that is kept for the backward pass, "auto", "plain" or "checkpoint", see `sr.archs.memory`.

    Raises:
        ValueError: an argument is not as said here.
    """

    mean_in: Tensor
    mean_out: Tensor

    def __init__(
        self,
        *,
        scale: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
        embed_dim: int = 180,
        depths: Sequence[int] = (6, 6, 6, 6, 6, 6),
        num_heads: Sequence[int] = (6, 6, 6, 6, 6, 6),
        window_size: int = 8,
        mlp_ratio: float = 2.0,
        upsampler: Upsampler = "pixelshuffle",
        num_feat: int = 64,
        resi_connection: ResidualConv = "1conv",
        img_range: float = 1.0,
        drop_path_rate: float = 0.1,
        img_size: int = 64,
        memory: Memory = "auto",
    ) -> None:
        super().__init__()
        check_sizes(in_channels=in_channels, out_channels=out_channels, num_feat=num_feat)
        check_windows(embed_dim=embed_dim, depths=depths, num_heads=num_heads, window_size=window_size)
        check_choice("memory", memory, Memory)
        check_choice("upsampler", upsampler, Upsampler)
        check_choice("resi_connection", resi_connection, ResidualConv)
        check_scale(scale, SHUFFLE_STEPS if upsampler else (1,))
        check_positive(img_range=img_range)
        if not upsampler:
            check_same_channels(in_channels, out_channels)
        if img_size <= window_size or img_size % window_size:
            raise ValueError(f"img_size={img_size} must be a larger multiple of window_size={window_size}")
        self.scale = scale
        self.window_size = window_size
        self.upsampler = upsampler
        self.img_range = img_range
        self.memory = memory
        self.depths = list(depths)
        self.rates = rising_rates(drop_path_rate, sum(depths))
        self.register_buffer("mean_in", mean_colour(in_channels), persistent=False)
        self.register_buffer("mean_out", mean_colour(out_channels), persistent=False)
        self.conv_first = nn.Conv2d(in_channels, embed_dim, 3, padding=1)
        self.patch_embed = TokenNorm(embed_dim)
        self.layers = nn.ModuleList(
            RSTB(
                depth=depth,
                embed_dim=embed_dim,
                num_heads=heads,
                window_size=window_size,
                mlp_ratio=mlp_ratio,
                resi_connection=resi_connection,
                img_size=img_size,
            )
            for depth, heads in zip(depths, num_heads, strict=True)
        )
        self.norm = nn.LayerNorm(embed_dim)
        self.conv_after_body = residual_conv(embed_dim, resi_connection)
        self._add_upsampler(embed_dim=embed_dim, num_feat=num_feat, out_channels=out_channels)
        initialise_transformer(self)

    def _add_upsampler(self, *, embed_dim: int, num_feat: int, out_channels: int) -> None:
        if self.upsampler == "pixelshuffledirect":
            conv = nn.Conv2d(embed_dim, out_channels * self.scale**2, 3, padding=1)
            self.upsample: nn.Module = nn.Sequential(conv, nn.PixelShuffle(self.scale))
            return
        if self.upsampler:
            conv = nn.Conv2d(embed_dim, num_feat, 3, padding=1)
            self.conv_before_upsample = nn.Sequential(conv, nn.LeakyReLU(0.01))
        if self.upsampler == "pixelshuffle":
            self.upsample = PixelShuffleSteps(scale=self.scale, num_feat=num_feat)
        elif self.upsampler == "nearest+conv":
            # One by one and not in a list: the published files have conv_up1, conv_up2.
            for number in range(1, len(SHUFFLE_STEPS[self.scale]) + 1):
                self.add_module(f"conv_up{number}", nn.Conv2d(num_feat, num_feat, 3, padding=1))
            self.conv_hr = nn.Conv2d(num_feat, num_feat, 3, padding=1)
            self.lrelu = nn.LeakyReLU(0.2)
        self.conv_last = nn.Conv2d(num_feat if self.upsampler else embed_dim, out_channels, 3, padding=1)

    def forward(self, lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        image = (pad_to_multiple(lr, self.window_size) - self.mean_in) * self.img_range
        shallow = self.conv_first(image)
        # The sum has the memory layout of its first part: that of the input, while the blocks have their own.
        features = shallow + self.conv_after_body(self._deep(shallow))
        sr = self._enlarged(features) if self.upsampler else image + self.conv_last(features)
        sr = sr / self.img_range + self.mean_out
        return sr[..., : height * self.scale, : width * self.scale]

    def _deep(self, shallow: Tensor) -> Tensor:
        features = self.patch_embed(shallow.permute(0, 2, 3, 1))
        height, width = features.shape[1:3]
        window = (self.window_size, self.window_size)
        mask = shift_mask(height, width, window=window, device=shallow.device)
        gains = gains_of_groups(self.rates, self.depths, features=features, training=self.training)
        for layer, gain in zip(self.layers, gains, strict=True):
            features = layer(features, mask, gain, self.memory)
        deep: Tensor = self.norm(features).permute(0, 3, 1, 2)
        return deep

    def _enlarged(self, features: Tensor) -> Tensor:
        if self.upsampler == "pixelshuffledirect":
            direct: Tensor = self.upsample(features)
            return direct
        features = self.conv_before_upsample(features)
        if self.upsampler == "pixelshuffle":
            features = self.upsample(features)
        else:
            for number, factor in enumerate(SHUFFLE_STEPS[self.scale], start=1):
                conv_up = getattr(self, f"conv_up{number}")
                features = self.lrelu(conv_up(upsample_nearest(features, scale=factor)))
            features = self.lrelu(self.conv_hr(features))
        sr: Tensor = self.conv_last(features)
        return sr


class RSTB(ResidualGroup):
    """Residual Swin Transformer block (fig. 2): Swin Transformer blocks, a convolution, and a residual around them."""

    def __init__(
        self,
        *,
        depth: int,
        embed_dim: int,
        num_heads: int,
        window_size: int,
        mlp_ratio: float,
        resi_connection: ResidualConv,
        img_size: int,
    ) -> None:
        blocks = [
            SwinBlock(
                embed_dim=embed_dim,
                num_heads=num_heads,
                window_size=window_size,
                shift=window_size // 2 if number % 2 else 0,
                mlp_ratio=mlp_ratio,
            )
            for number in range(depth)
        ]
        for block in blocks:
            publish_constants(block.attn, partial(_index, window_size))
            if block.shift:
                publish_constants(block, partial(_mask, window_size, img_size))
        super().__init__(Blocks(blocks), residual_conv(embed_dim, resi_connection))


def _index(window_size: int) -> dict[str, Tensor]:
    return {"relative_position_index": pair_indices((window_size, window_size))}


def _mask(window_size: int, img_size: int) -> dict[str, Tensor]:
    return {"attn_mask": shift_mask(img_size, img_size, window=(window_size, window_size))}
