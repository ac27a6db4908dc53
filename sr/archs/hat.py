"""HAT: attention in windows and over channels side by side, and attention that looks beyond its window."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from torch import Tensor, nn

from sr.archs.div2k import mean_colour
from sr.archs.memory import Memory, run_block
from sr.archs.overlapping_attention import OCAB
from sr.archs.padding import pad_to_multiple
from sr.archs.picture_mean import PictureMean
from sr.archs.position_bias import overlap_indices, pair_indices
from sr.archs.published_constants import publish_constants
from sr.archs.residual_group import Blocks, Masks, ResidualGroup, channels_first, residual_conv
from sr.archs.sizes import check_choice, check_positive, check_scale, check_sizes
from sr.archs.stochastic_depth import gains_of_groups, kept, rising_rates
from sr.archs.swin_block import SwinBlock
from sr.archs.upsampling import SHUFFLE_STEPS, PixelShuffleSteps
from sr.archs.window_attention import TokenNorm, check_windows, initialise_transformer
from sr.archs.windows import shift_mask

ResidualConv = Literal["1conv", "identity"]


class HAT(nn.Module):
    """The hybrid attention transformer.

    (N, in_channels, H, W) float in [0, 1] -> (N, out_channels, H*scale, W*scale), not clamped, any H, W >= 1. An image
    whose sides `window_size` does not divide is continued by reflection, and its result cropped.

    Source: Chen et al., "Activating More Pixels in Image Super-Resolution Transformer", CVPR 2023, sec. 3. Parameter
    names are those of its published checkpoints, which also hold two constants that the net does not need
    (`relative_position_index_*`).

    Args:
        scale: the factor of enlargement, 1, 2, 3, 4 or 8.
        in_channels: channels of the input. With three, the mean colour of DIV2K is subtracted from them.
        out_channels: channels of the output, to which that mean is added.
        embed_dim: channels of the transformer, a multiple of every number of heads.
        depths: the number of hybrid attention blocks in each group.
        num_heads: the number of attention heads in each group.
        window_size: side of the windows, 2 or more.
        compress_ratio: divisor of the channels inside a channel attention block.
        squeeze_factor: divisor of the channels inside its attention.
        conv_scale: weight of the channel attention block beside the attention in windows.
        overlap_ratio: the share of a window of queries by which that of keys is larger; an even number of pixels, at
            most as many as the window has.
        mlp_ratio: hidden channels of the layers at every pixel, as a multiple of `embed_dim`.
        num_feat: channels from the last group on.
        resi_connection: the end of each group, "1conv" (a 3 x 3 convolution) or "identity" (nothing).
        img_range: the factor by which values in [0, 1] are multiplied inside.
        drop_path_rate: rate of stochastic depth at the last block, see `sr.archs.stochastic_depth`.
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
        window_size: int = 16,
        compress_ratio: int = 3,
        squeeze_factor: int = 30,
        conv_scale: float = 0.01,
        overlap_ratio: float = 0.5,
        mlp_ratio: float = 2.0,
        num_feat: int = 64,
        resi_connection: ResidualConv = "1conv",
        img_range: float = 1.0,
        drop_path_rate: float = 0.1,
        memory: Memory = "auto",
    ) -> None:
        super().__init__()
        check_scale(scale, SHUFFLE_STEPS)
        check_sizes(in_channels=in_channels, out_channels=out_channels, num_feat=num_feat)
        check_windows(embed_dim=embed_dim, depths=depths, num_heads=num_heads, window_size=window_size)
        check_choice("memory", memory, Memory)
        check_positive(img_range=img_range)
        check_choice("resi_connection", resi_connection, ResidualConv)
        overlap = int(window_size * overlap_ratio)
        if overlap % 2 or not 2 <= overlap <= window_size:
            raise ValueError(
                f"overlap_ratio={overlap_ratio} of window_size={window_size} is {overlap} pixels, which must be an even"
                f" number from 2 to {window_size}"
            )
        self.scale = scale
        self.window_size = window_size
        self.img_range = img_range
        self.memory = memory
        self.depths = list(depths)
        self.rates = rising_rates(drop_path_rate, sum(depths))
        self.register_buffer("mean_in", mean_colour(in_channels), persistent=False)
        self.register_buffer("mean_out", mean_colour(out_channels), persistent=False)
        publish_constants(self, partial(_indices, window_size, overlap))
        self.conv_first = nn.Conv2d(in_channels, embed_dim, 3, padding=1)
        self.patch_embed = TokenNorm(embed_dim)
        self.layers = nn.ModuleList()
        for depth, heads in zip(depths, num_heads, strict=True):
            sizes = {"embed_dim": embed_dim, "num_heads": heads, "window_size": window_size}
            blocks = [
                HAB(
                    **sizes,
                    shift=window_size // 2 if number % 2 else 0,
                    mlp_ratio=mlp_ratio,
                    conv_block=CAB(embed_dim, compress_ratio=compress_ratio, squeeze_factor=squeeze_factor),
                    conv_scale=conv_scale,
                )
                for number in range(depth)
            ]
            group = HybridBlocks(blocks, OCAB(**sizes, overlap=overlap, mlp_ratio=mlp_ratio))
            self.layers.append(ResidualGroup(group, residual_conv(embed_dim, resi_connection)))
        self.norm = nn.LayerNorm(embed_dim)
        self.conv_after_body = residual_conv(embed_dim, resi_connection)
        self.conv_before_upsample = nn.Sequential(
            nn.Conv2d(embed_dim, num_feat, 3, padding=1), nn.LeakyReLU(0.01)
        )
        self.upsample = PixelShuffleSteps(scale=scale, num_feat=num_feat)
        self.conv_last = nn.Conv2d(num_feat, out_channels, 3, padding=1)
        initialise_transformer(self)

    def forward(self, lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        image = (pad_to_multiple(lr, self.window_size) - self.mean_in) * self.img_range
        shallow = self.conv_first(image)
        # The sum has the memory layout of its first part: that of the input, while the blocks have their own.
        features = shallow + self.conv_after_body(self._deep(shallow))
        sr: Tensor = self.conv_last(self.upsample(self.conv_before_upsample(features)))
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


class HybridBlocks(Blocks):
    """Hybrid attention blocks, and an overlapping cross-attention block behind them (fig. 4)."""

    def __init__(self, blocks: Sequence["HAB"], overlap_attn: OCAB) -> None:
        super().__init__(blocks)
        self.overlap_attn = overlap_attn

    def forward(self, features: Tensor, masks: Masks, gains: Tensor | None, memory: Memory) -> Tensor:
        features = super().forward(features, masks, gains, memory)
        return run_block(self.overlap_attn, features, memory=memory)


class HAB(SwinBlock):
    """Hybrid attention block: a Swin Transformer block with a channel attention block beside its attention (eq. 2)."""

    def __init__(
        self,
        *,
        embed_dim: int,
        num_heads: int,
        window_size: int,
        shift: int,
        mlp_ratio: float,
        conv_block: "CAB",
        conv_scale: float,
    ) -> None:
        super().__init__(
            embed_dim=embed_dim,
            num_heads=num_heads,
            window_size=window_size,
            shift=shift,
            mlp_ratio=mlp_ratio,
        )
        self.conv_block = conv_block
        self.conv_scale = conv_scale

    def forward(self, features: Tensor, mask: Tensor, gains: Tensor | None) -> Tensor:
        normed = self.norm1(features)
        channelwise = channels_first(self.conv_block, normed)
        features = features + kept(self.attend(normed, mask), gains, 0) + self.conv_scale * channelwise
        return features + kept(self.mlp(self.norm2(features)), gains, 1)


class CAB(nn.Module):
    """Channel attention block: two convolutions, and a factor for each channel out of its mean over the picture."""

    def __init__(self, embed_dim: int, *, compress_ratio: int, squeeze_factor: int) -> None:
        super().__init__()
        check_sizes(compress_ratio=compress_ratio, squeeze_factor=squeeze_factor)
        inside = embed_dim // compress_ratio
        check_sizes(**{"embed_dim // compress_ratio": inside})
        self.cab = nn.Sequential(
            nn.Conv2d(embed_dim, inside, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(inside, embed_dim, 3, padding=1),
            ChannelAttention(embed_dim, squeeze_factor=squeeze_factor),
        )

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = self.cab(features)
        return changed


class ChannelAttention(nn.Module):
    """Channels times factors that follow from the means of all channels (RCAN, Zhang et al. 2018, sec. 3.3)."""

    def __init__(self, num_feat: int, *, squeeze_factor: int) -> None:
        super().__init__()
        inside = num_feat // squeeze_factor
        check_sizes(**{"embed_dim // squeeze_factor": inside})
        self.attention = nn.Sequential(
            PictureMean(),
            nn.Conv2d(num_feat, inside, 1),
            nn.ReLU(),
            nn.Conv2d(inside, num_feat, 1),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        factors: Tensor = self.attention(features)
        return features * factors


def _indices(window_size: int, overlap: int) -> dict[str, Tensor]:
    return {
        "relative_position_index_SA": pair_indices((window_size, window_size)),
        "relative_position_index_OCA": overlap_indices(window_size, window_size + overlap),
    }
