"""The block of DAT: an attention and a feed-forward net, each after a norm and with a residual around it.

Pictures are (N, H, W, C). Source: Chen et al., "Dual Aggregation Transformer for Image Super-Resolution", ICCV 2023,
sec. 3, and the authors' code, whose parameter names these are.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from sr.archs.dual_attention import AdaptiveChannelAttention, AdaptiveSpatialAttention
from sr.archs.sizes import check_heads
from sr.archs.stochastic_depth import kept
from sr.archs.windows import Rectangle

# The bias of positions is made by a net with a sixteenth of the channels of a half, which must be one at least.
_LEAST_CHANNELS = 32


class DATBlock(nn.Module):
    """A block at `place` (number of the group, number in the group).

    Even blocks attend over pixels, and odd ones over channels. Windows are shifted in every second one of the even
    blocks, beginning with the second in the first group, with the first in the next, and so on in turn.
    """

    def __init__(
        self,
        *,
        embed_dim: int,
        num_heads: int,
        split_size: Rectangle,
        expansion_factor: float,
        qkv_bias: bool,
        place: tuple[int, int],
        img_size: int,
    ) -> None:
        super().__init__()
        group, number = place
        self.norm1 = nn.LayerNorm(embed_dim)
        self.attn = (
            AdaptiveChannelAttention(embed_dim=embed_dim, num_heads=num_heads, qkv_bias=qkv_bias)
            if number % 2
            else AdaptiveSpatialAttention(
                embed_dim=embed_dim,
                num_heads=num_heads,
                split_size=split_size,
                qkv_bias=qkv_bias,
                shifted=(group + number // 2) % 2 == 1,
                img_size=img_size,
            )
        )
        self.norm2 = nn.LayerNorm(embed_dim)
        self.ffn = SpatialGateFeedForward(embed_dim=embed_dim, hidden=int(embed_dim * expansion_factor))

    def forward(self, features: Tensor, masks: tuple[Tensor, Tensor], gains: Tensor | None) -> Tensor:
        """`gains` are the factors of stochastic depth for both branches."""
        attended = self.attn(self.norm1(features), masks)
        features = features + kept(attended, gains, 0)
        return features + kept(self.ffn(self.norm2(features)), gains, 1)


class SpatialGateFeedForward(nn.Module):
    """Two layers at every pixel, and between them the gate (SGFN, fig. 5)."""

    def __init__(self, *, embed_dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(embed_dim, hidden)
        self.act = nn.GELU()
        self.sg = SpatialGate(hidden // 2)
        self.fc2 = nn.Linear(hidden // 2, embed_dim)

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = self.fc2(self.sg(self.act(self.fc1(features))))
        return changed


class SpatialGate(nn.Module):
    """One half of the channels times a depthwise convolution of the other, which sees the neighbours."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, features: Tensor) -> Tensor:
        passed, gate = features.chunk(2, dim=-1)
        gate = self.conv(self.norm(gate).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        gated: Tensor = passed * gate
        return gated


def check_window(split_size: Sequence[int], *, img_size: int) -> Rectangle:
    """The sides of a window.

    Raises:
        ValueError: they are not two numbers of 2 or more of which the greater is a multiple of the lesser, or do not
            divide `img_size`.
    """
    sides = [*split_size]
    if len(sides) != 2 or min(sides) < 2 or max(sides) % min(sides):
        raise ValueError(
            f"split_size={sides} must be two sides of 2 or more, the greater a multiple of the lesser"
        )
    if img_size < 1 or img_size % max(sides):
        raise ValueError(f"img_size={img_size} must be a multiple of the sides of split_size={sides}")
    return sides[0], sides[1]


def check_blocks(
    *, embed_dim: int, depths: Sequence[int], num_heads: Sequence[int], expansion_factor: float
) -> None:
    """Refuse sizes of which no blocks can be made.

    Raises:
        ValueError: a size is below its least, there are not as many `num_heads` as `depths`, heads are odd or do not
            share `embed_dim`, or the hidden channels are odd.
    """
    if embed_dim < _LEAST_CHANNELS:
        raise ValueError(f"embed_dim={embed_dim} must be {_LEAST_CHANNELS} or more")
    for heads in num_heads:
        if heads % 2:
            raise ValueError(
                f"num_heads={heads} must be even, for each half of the channels has half of them"
            )
    check_heads(embed_dim=embed_dim, depths=depths, num_heads=num_heads)
    hidden = int(embed_dim * expansion_factor)
    if hidden < 2 or hidden % 2:
        raise ValueError(
            f"expansion_factor={expansion_factor} times embed_dim={embed_dim} must be even, and is {hidden}"
        )
