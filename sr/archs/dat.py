"""DAT: transformer blocks that attend over pixels and over channels in turn."""

from collections.abc import Iterable, Sequence
from typing import Literal

from torch import Tensor, nn

from sr.archs.div2k import mean_colour
from sr.archs.dual_block import DATBlock, check_blocks, check_window
from sr.archs.memory import Memory, move_statistics_once
from sr.archs.padding import next_multiple
from sr.archs.residual_group import Blocks, Masks, channels_first, residual_conv
from sr.archs.sizes import check_choice, check_positive, check_scale, check_sizes
from sr.archs.stochastic_depth import gains_of_groups, rising_rates
from sr.archs.upsampling import SHUFFLE_STEPS, PixelShuffleSteps
from sr.archs.window_attention import initialise_transformer
from sr.archs.windows import shift_mask

Upsampler = Literal["pixelshuffle", "pixelshuffledirect"]
ResidualConv = Literal["1conv", "3conv"]


class DAT(nn.Module):
    """The dual aggregation transformer.

    (N, in_channels, H, W) float in [0, 1] -> (N, out_channels, H*scale, W*scale), not clamped, any H, W >= 1. Sides
    that the windows do not divide are continued with zeros inside of each attention. Attention over channels sees the
    whole picture, so a tile of a picture gives other values than the picture. There is batch norm in every block:
    training wants two images or more on each device.

    Source: Chen et al., "Dual Aggregation Transformer for Image Super-Resolution", ICCV 2023, sec. 3, and the authors'
    code. Parameter names are those of the published files, which also hold constants that the net makes itself.

    Args:
        scale: the factor of enlargement, 1, 2, 3, 4 or 8.
        in_channels: channels of the input. With three, the mean colour of DIV2K is subtracted from them.
        out_channels: channels of the result, to which that mean is added.
        embed_dim: channels of the blocks, 32 or more, a multiple of every number of heads.
        depths: the number of blocks in each residual group: the first is over pixels, the second over channels, and so
            on in turn.
        num_heads: the number of attention heads in each residual group, even.
        split_size: height and width of the windows of one half of the channels; the other half has them exchanged.
        expansion_factor: hidden channels of the feed-forward nets as a multiple of `embed_dim`.
        qkv_bias: whether queries, keys and values have biases.
        upsampler: "pixelshuffle", or "pixelshuffledirect" with a single convolution (the light net).
        num_feat: channels of "pixelshuffle" behind the groups.
        resi_connection: the convolutions that end each group, "1conv", or "3conv" with a fourth of the channels inside.
        img_range: the factor by which values in [0, 1] are multiplied inside.
        drop_path_rate: rate of stochastic depth at the last block, see `sr.archs.stochastic_depth`.
        img_size: side of the image for which files hold masks: published nets have that of their LR patches. It changes
            nothing that the net computes.
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
        split_size: Sequence[int] = (8, 32),
        expansion_factor: float = 4.0,
        qkv_bias: bool = True,
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
        check_scale(scale, SHUFFLE_STEPS)
        check_choice("memory", memory, Memory)
        check_positive(img_range=img_range)
        check_choice("upsampler", upsampler, Upsampler)
        check_choice("resi_connection", resi_connection, ResidualConv)
        window = check_window(split_size, img_size=img_size)
        check_blocks(
            embed_dim=embed_dim, depths=depths, num_heads=num_heads, expansion_factor=expansion_factor
        )
        self.scale = scale
        self.windows = (window, (window[1], window[0]))
        self.img_range = img_range
        self.memory = memory
        self.depths = list(depths)
        self.rates = rising_rates(drop_path_rate, sum(depths))
        self.register_buffer("mean_in", mean_colour(in_channels), persistent=False)
        self.register_buffer("mean_out", mean_colour(out_channels), persistent=False)
        self.conv_first = nn.Conv2d(in_channels, embed_dim, 3, padding=1)
        self.before_RG = nn.Sequential(nn.Identity(), nn.LayerNorm(embed_dim))  # published as before_RG.1
        self.layers = nn.ModuleList(
            ResidualGroup(
                [
                    DATBlock(
                        embed_dim=embed_dim,
                        num_heads=heads,
                        split_size=window,
                        expansion_factor=expansion_factor,
                        qkv_bias=qkv_bias,
                        place=(group, number),
                        img_size=img_size,
                    )
                    for number in range(depth)
                ],
                residual_conv(embed_dim, resi_connection),
            )
            for group, (depth, heads) in enumerate(zip(depths, num_heads, strict=True))
        )
        self.norm = nn.LayerNorm(embed_dim)
        self.conv_after_body = residual_conv(embed_dim, resi_connection)
        self.upsampler = upsampler
        if upsampler == "pixelshuffle":
            conv = nn.Conv2d(embed_dim, num_feat, 3, padding=1)
            self.conv_before_upsample = nn.Sequential(conv, nn.LeakyReLU(0.01))
            self.upsample: nn.Module = PixelShuffleSteps(scale=scale, num_feat=num_feat)
            self.conv_last = nn.Conv2d(num_feat, out_channels, 3, padding=1)
        else:
            conv = nn.Conv2d(embed_dim, out_channels * scale**2, 3, padding=1)
            self.upsample = nn.Sequential(conv, nn.PixelShuffle(scale))
        initialise_transformer(self)
        if memory == "checkpoint":
            move_statistics_once(self)

    def forward(self, lr: Tensor) -> Tensor:
        shallow = self.conv_first((lr - self.mean_in) * self.img_range)
        features = self.conv_after_body(self._deep(shallow)) + shallow
        if self.upsampler == "pixelshuffle":
            sr = self.conv_last(self.upsample(self.conv_before_upsample(features)))
        else:
            sr = self.upsample(features)
        result: Tensor = sr / self.img_range + self.mean_out
        return result

    def _deep(self, shallow: Tensor) -> Tensor:
        features = self.before_RG(shallow.permute(0, 2, 3, 1))
        height, width = (next_multiple(side, max(self.windows[0])) for side in features.shape[1:3])
        masks = tuple(shift_mask(height, width, window=each, device=shallow.device) for each in self.windows)
        gains = gains_of_groups(self.rates, self.depths, features=features, training=self.training)
        for group, gain in zip(self.layers, gains, strict=True):
            features = group(features, masks, gain, self.memory)
        deep: Tensor = self.norm(features).permute(0, 3, 1, 2)
        return deep


class ResidualGroup(Blocks):
    """Blocks in turn, a convolution, and a residual around them (fig. 2)."""

    def __init__(self, blocks: Iterable[DATBlock], conv: nn.Module) -> None:
        super().__init__(blocks)
        self.conv = conv

    def forward(self, features: Tensor, masks: Masks, gains: Tensor | None, memory: Memory) -> Tensor:
        return features + channels_first(self.conv, super().forward(features, masks, gains, memory))
