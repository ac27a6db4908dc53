"""The two attentions of DAT, over the pixels of rectangular windows and over channels, each beside a convolution.

Pictures are (N, H, W, C). Source: Chen et al., "Dual Aggregation Transformer for Image Super-Resolution", ICCV 2023,
sec. 3.2 and 3.3, and the authors' code, whose parameter names these are.
"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.archs.channel_scores import cosines
from sr.archs.padding import next_multiple
from sr.archs.picture_mean import PictureMean
from sr.archs.position_bias import offsets, pair_indices, pairwise_bias
from sr.archs.published_constants import publish_constants
from sr.archs.windows import Rectangle, shift_mask


class DualAttention(nn.Module):
    """What both attentions share: the layers at their ends, and the adaptive interaction with the convolution."""

    def __init__(self, *, embed_dim: int, num_heads: int, qkv_bias: bool) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim, bias=qkv_bias)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.dwconv = nn.Sequential(
            nn.Conv2d(embed_dim, embed_dim, 3, padding=1, groups=embed_dim),
            nn.BatchNorm2d(embed_dim),
            nn.GELU(),
        )
        self.channel_interaction = nn.Sequential(
            PictureMean(), *_bottleneck(embed_dim, embed_dim // 8, embed_dim)
        )
        self.spatial_interaction = nn.Sequential(*_bottleneck(embed_dim, embed_dim // 16, 1))

    def interact(self, by_channel: Tensor, by_pixel: Tensor) -> Tensor:
        """Two pictures (N, C, H, W), each weighted by what the other one says -> (N, H, W, C).

        The first is weighted channel by channel and the second pixel by pixel, and their sum projected (AIM, fig. 4).
        """
        channels = self.channel_interaction(by_pixel).sigmoid()
        pixels = self.spatial_interaction(by_channel).sigmoid()
        mixed = by_channel * channels + by_pixel * pixels
        projected: Tensor = self.proj(mixed.permute(0, 2, 3, 1))
        return projected


def _bottleneck(inputs: int, hidden: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, hidden, 1), nn.BatchNorm2d(hidden), nn.GELU(), nn.Conv2d(hidden, outputs, 1)


class AdaptiveSpatialAttention(DualAttention):
    """Attention among the pixels of rectangles, which stand upright for one half of the channels and lie for the other.

    Args:
        embed_dim: channels.
        num_heads: heads of both halves together.
        split_size: height and width of the rectangles of the first half; the other has them exchanged.
        qkv_bias: whether queries, keys and values have biases.
        shifted: whether the rectangles are moved by half their sides.
        img_size: side of the image for which files hold masks, where `shifted`.
    """

    def __init__(
        self,
        *,
        embed_dim: int,
        num_heads: int,
        split_size: Rectangle,
        qkv_bias: bool,
        shifted: bool,
        img_size: int,
    ) -> None:
        super().__init__(embed_dim=embed_dim, num_heads=num_heads, qkv_bias=qkv_bias)
        self.shifted = shifted
        self.multiple = max(split_size)
        windows = (split_size, (split_size[1], split_size[0]))
        self.attns = nn.ModuleList(
            RectangleAttention(
                channels=embed_dim // 2, num_heads=num_heads // 2, window=window, shifted=shifted
            )
            for window in windows
        )
        if shifted:
            publish_constants(self, partial(_masks, windows=windows, img_size=img_size))

    def forward(self, features: Tensor, masks: tuple[Tensor, Tensor]) -> Tensor:
        height, width = features.shape[1:3]
        qkv = self.qkv(features)
        value = qkv.chunk(3, dim=-1)[2].permute(0, 3, 1, 2)
        # With zeros, that pixels at the border look at too.
        below, right = (next_multiple(side, self.multiple) - side for side in (height, width))
        padded = F.pad(qkv, (0, 0, 0, right, 0, below))
        halves = torch.unflatten(padded, -1, (3, 2, self.num_heads // 2, -1)).unbind(4)
        attended = torch.cat(
            [attn(half, mask) for attn, half, mask in zip(self.attns, halves, masks, strict=True)], -1
        )
        attended = attended[:, :height, :width].permute(0, 3, 1, 2)
        return self.interact(attended, self.dwconv(value))


def _masks(*, windows: tuple[Rectangle, Rectangle], img_size: int) -> dict[str, Tensor]:
    masks = (shift_mask(img_size, img_size, window=window) for window in windows)
    return {f"attn_mask_{number}": mask for number, mask in enumerate(masks)}


class RectangleAttention(nn.Module):
    """Multi-head self-attention among the pixels of each rectangle.

    (N, H, W, 3, heads, channels of a head) -> (N, H, W, channels), sides that the rectangle divides.
    """

    def __init__(self, *, channels: int, num_heads: int, window: Rectangle, shifted: bool) -> None:
        super().__init__()
        self.window = window
        self.shift = (window[0] // 2, window[1] // 2) if shifted else (0, 0)
        self.pos = DynamicPositionBias(hidden=channels // 4 // 4, num_heads=num_heads)
        self.register_buffer("offsets", offsets(window), persistent=False)
        self.offsets: Tensor
        publish_constants(self, partial(_offset_constants, window=window))

    def forward(self, qkv: Tensor, mask: Tensor) -> Tensor:
        rows, columns = self.window
        bias = pairwise_bias(self.pos(self.offsets), self.window)
        if any(self.shift):
            bias = bias + mask[:, None]
            qkv = qkv.roll([-step for step in self.shift], (1, 2))
        batch, height, width = qkv.shape[:3]
        grid = (height // rows, width // columns)
        windows = qkv.reshape(batch, grid[0], rows, grid[1], columns, *qkv.shape[3:])
        windows = windows.permute(5, 0, 1, 3, 6, 2, 4, 7)  # 3, N, grid, heads, window, channels
        shape = windows.shape[1:]
        query, key, value = windows.reshape(3, batch, grid[0] * grid[1], shape[3], rows * columns, -1).unbind(
            0
        )
        scores = (query * query.shape[-1] ** -0.5) @ key.mT + bias
        attended = (scores.softmax(-1) @ value).view(shape)
        picture: Tensor = attended.permute(0, 1, 4, 2, 5, 3, 6).reshape(batch, height, width, -1)
        return picture.roll(self.shift, (1, 2)) if any(self.shift) else picture


def _offset_constants(*, window: Rectangle) -> dict[str, Tensor]:
    return {"rpe_biases": offsets(window), "relative_position_index": pair_indices(window)}


class DynamicPositionBias(nn.Module):
    """The bias of each offset between two pixels, made by a small net: (offsets, 2) -> (offsets, num_heads)."""

    def __init__(self, *, hidden: int, num_heads: int) -> None:
        super().__init__()
        self.pos_proj = nn.Linear(2, hidden)
        self.pos1 = _norm_and_linear(hidden, hidden)
        self.pos2 = _norm_and_linear(hidden, hidden)
        self.pos3 = _norm_and_linear(hidden, num_heads)

    def forward(self, offset: Tensor) -> Tensor:
        biases: Tensor = self.pos3(self.pos2(self.pos1(self.pos_proj(offset))))
        return biases


def _norm_and_linear(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.LayerNorm(inputs), nn.ReLU(), nn.Linear(inputs, outputs))


class AdaptiveChannelAttention(DualAttention):
    """Attention among the channels of each head, over all pixels of the picture."""

    def __init__(self, *, embed_dim: int, num_heads: int, qkv_bias: bool) -> None:
        super().__init__(embed_dim=embed_dim, num_heads=num_heads, qkv_bias=qkv_bias)
        self.temperature = nn.Parameter(torch.ones(num_heads, 1, 1))

    def forward(self, features: Tensor, masks: tuple[Tensor, Tensor]) -> Tensor:
        height, width = features.shape[1:3]
        heads = torch.unflatten(self.qkv(features).flatten(1, 2), -1, (3, self.num_heads, -1))
        query, key, value = heads.permute(2, 0, 3, 4, 1).unbind(0)  # each (N, heads, channels, pixels)
        scores = cosines(query, key) * self.temperature
        attended = (scores.softmax(-1) @ value).flatten(1, 2)
        local = self.dwconv(torch.unflatten(value.flatten(1, 2), -1, (height, width)))
        return self.interact(local, torch.unflatten(attended, -1, (height, width)))
