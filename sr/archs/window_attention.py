"""What transformers with windows are made of: attention inside a window, and the layers that see one pixel."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sr.archs.position_bias import pairwise_bias
from sr.archs.sizes import check_heads


class WindowAttention(nn.Module):
    """Every pixel of a window looks at all of them: (N, windows, window_size**2, embed_dim) -> the same shape.

    attention = softmax(q k^T / sqrt(d) + B) v for each head of d channels, where B is learned for every distance
    between two pixels. Source: Swin Transformer, Liu et al., ICCV 2021, eq. 4. Written out and not as
    `scaled_dot_product_attention`, which took 1.1 times as long in training (CPU, windows of 8, heads of 30 channels):
    B has a gradient, with which only its own slow form can deal.
    """

    def __init__(self, *, embed_dim: int, num_heads: int, window_size: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.window_size = window_size
        self.relative_position_bias_table = bias_table(2 * window_size - 1, num_heads)
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)

    def forward(self, windows: Tensor, mask: Tensor | None) -> Tensor:
        """`mask` (windows, window_size**2, window_size**2) is added to the scores of every head."""
        bias = pairwise_bias(self.relative_position_bias_table, (self.window_size, self.window_size))
        if mask is not None:
            bias = bias + mask[:, None]
        query, key, value = (split_heads(part, self.num_heads) for part in self.qkv(windows).chunk(3, -1))
        attended: Tensor = self.proj(attend(query, key, value, bias))
        return attended


def bias_table(side: int, num_heads: int) -> nn.Parameter:
    """A table of biases for `side` x `side` distances: (side**2, num_heads), see `sr.archs.position_bias`."""
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(side**2, num_heads), std=0.02))


def split_heads(tokens: Tensor, num_heads: int) -> Tensor:
    """(N, windows, L, C) -> (N, windows, num_heads, L, C / num_heads)."""
    batch, windows, length, channels = tokens.shape
    return tokens.reshape(batch, windows, length, num_heads, channels // num_heads).transpose(2, 3)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """Three of `split_heads`, and what is added to their scores -> (N, windows, L, C)."""
    scores: Tensor = (query * query.shape[-1] ** -0.5) @ key.mT + bias
    return (scores.softmax(-1) @ value).transpose(2, 3).flatten(3)


class FeedForward(nn.Module):
    """Two layers at every pixel with GELU between them: (..., embed_dim) -> (..., embed_dim)."""

    def __init__(self, *, embed_dim: int, mlp_ratio: float) -> None:
        super().__init__()
        self.fc1 = nn.Linear(embed_dim, int(embed_dim * mlp_ratio))
        self.act = nn.GELU()
        self.fc2 = nn.Linear(int(embed_dim * mlp_ratio), embed_dim)

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = self.fc2(self.act(self.fc1(features)))
        return changed


class TokenNorm(nn.Module):
    """A layer norm under the name `norm`, as published files have the one before the first block."""

    def __init__(self, embed_dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(embed_dim)

    def forward(self, features: Tensor) -> Tensor:
        normed: Tensor = self.norm(features)
        return normed


def check_windows(
    *, embed_dim: int, depths: Sequence[int], num_heads: Sequence[int], window_size: int
) -> None:
    """Refuse sizes of which no transformer with windows can be made.

    Raises:
        ValueError: a size is below 1 or a window below 2, there are not as many `num_heads` as `depths`, or `embed_dim`
            cannot be shared among the heads.
    """
    check_heads(embed_dim=embed_dim, depths=depths, num_heads=num_heads)
    if window_size < 2:
        raise ValueError(f"window_size={window_size} must be 2 or more")


def initialise_transformer(net: nn.Module) -> None:
    """Weights of linear layers are normal with deviation 0.02 and their biases zero, as Swin Transformer begins."""
    for layer in net.modules():
        if isinstance(layer, nn.Linear):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
