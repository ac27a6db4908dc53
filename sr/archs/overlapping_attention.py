"""Attention of windows to larger windows around them."""

from torch import Tensor, nn

from sr.archs.position_bias import overlap_bias
from sr.archs.window_attention import FeedForward, attend, bias_table, split_heads
from sr.archs.windows import cut_overlapping_windows, cut_windows, join_windows


class OCAB(nn.Module):
    """Overlapping cross-attention block: the pixels of a window look at a larger window around it.

    Source: HAT, Chen et al., CVPR 2023, sec. 3.3. Beyond the picture keys and values are zeros.
    """

    def __init__(
        self, *, embed_dim: int, num_heads: int, window_size: int, overlap: int, mlp_ratio: float
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.window_size = window_size
        self.overlap = overlap
        self.norm1 = nn.LayerNorm(embed_dim)
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.relative_position_bias_table = bias_table(2 * window_size + overlap - 1, num_heads)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.norm2 = nn.LayerNorm(embed_dim)
        self.mlp = FeedForward(embed_dim=embed_dim, mlp_ratio=mlp_ratio)

    def forward(self, features: Tensor) -> Tensor:
        """(N, H, W, embed_dim) -> the same shape."""
        features = features + self.proj(self._attend(self.norm1(features)))
        changed: Tensor = self.mlp(self.norm2(features))
        return features + changed

    def _attend(self, features: Tensor) -> Tensor:
        height, width, embed_dim = features.shape[1:]
        size = self.window_size
        query, key_value = self.qkv(features).split((embed_dim, 2 * embed_dim), -1)
        seen = cut_overlapping_windows(key_value, size, reach=self.overlap // 2)
        bias = overlap_bias(self.relative_position_bias_table, queries=size, keys=size + self.overlap)
        query, key, value = (
            split_heads(part, self.num_heads) for part in (cut_windows(query, size), *seen.chunk(2, -1))
        )
        attended = attend(query, key, value, bias)
        return join_windows(attended, size=size, height=height, width=width)
