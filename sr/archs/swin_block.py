"""The block of Swin Transformer."""

from torch import Tensor, nn

from sr.archs.stochastic_depth import kept
from sr.archs.window_attention import FeedForward, WindowAttention
from sr.archs.windows import cut_windows, join_windows


class SwinBlock(nn.Module):
    """Attention in windows and layers at every pixel, each with a norm before it and a residual around it.

    Source: Liu et al., "Swin Transformer", ICCV 2021, eq. 3. `shift` is 0, or half a window: then the windows are those
    of the picture rolled by as much, and `mask` keeps the pixels of opposite borders apart.
    """

    def __init__(
        self,
        *,
        embed_dim: int,
        num_heads: int,
        window_size: int,
        shift: int,
        mlp_ratio: float,
    ) -> None:
        super().__init__()
        self.window_size = window_size
        self.shift = shift
        self.norm1 = nn.LayerNorm(embed_dim)
        self.attn = WindowAttention(embed_dim=embed_dim, num_heads=num_heads, window_size=window_size)
        self.norm2 = nn.LayerNorm(embed_dim)
        self.mlp = FeedForward(embed_dim=embed_dim, mlp_ratio=mlp_ratio)

    def forward(self, features: Tensor, mask: Tensor, gains: Tensor | None) -> Tensor:
        """(N, H, W, embed_dim) -> the same shape; `gains` (2, N, 1, 1, 1) are those of both branches in training."""
        features = features + kept(self.attend(self.norm1(features), mask), gains, 0)
        return features + kept(self.mlp(self.norm2(features)), gains, 1)

    def attend(self, features: Tensor, mask: Tensor) -> Tensor:
        height, width = features.shape[1:3]
        if self.shift:
            features = features.roll((-self.shift, -self.shift), (1, 2))
        windows = self.attn(cut_windows(features, self.window_size), mask if self.shift else None)
        joined = join_windows(windows, size=self.window_size, height=height, width=width)
        return joined.roll((self.shift, self.shift), (1, 2)) if self.shift else joined
