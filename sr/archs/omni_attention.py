"""Omni self-attention: over the pixels of windows, or over channels; among neighbours, or over the whole picture.

Source: Wang et al., "Omni Aggregation Networks for Lightweight Image Super-Resolution", CVPR 2023, sec. 3.2, and the
authors' code, whose parameter names these are.
"""

import torch
from torch import Tensor, nn

from sr.archs.channel_scores import cosines
from sr.archs.position_bias import pairwise_bias

HEADS = 4


class Windows(nn.Module):
    """(N, C, H, W) -> (N, rows, columns, size, size, C): windows of neighbours, or of pixels far apart.

    There are rows * columns windows. A window of pixels far apart takes every H / size-th row and every W / size-th
    column of the picture.
    """

    def __init__(self, size: int, *, far: bool) -> None:
        super().__init__()
        self.size, self.far = size, far

    def forward(self, features: Tensor) -> Tensor:
        split = _split(features, self.size, far=self.far)
        return split.permute(0, 3, 5, 2, 4, 1) if self.far else split.permute(0, 2, 4, 3, 5, 1)


class Picture(nn.Module):
    """The inverse of `Windows`."""

    def __init__(self, *, far: bool) -> None:
        super().__init__()
        self.far = far

    def forward(self, windows: Tensor) -> Tensor:
        order = (0, 5, 3, 1, 4, 2) if self.far else (0, 5, 1, 3, 2, 4)
        return windows.permute(order).flatten(4).flatten(2, 3)


def _split(features: Tensor, size: int, *, far: bool) -> Tensor:
    """(N, C, H, W) -> (N, C, H / size, size, W / size, size), or with the two factors of each side exchanged."""
    sides = (size, -1) if far else (-1, size)
    return torch.unflatten(torch.unflatten(features, 3, sides), 2, sides)


class PixelAttention(nn.Module):
    """Multi-head self-attention among the pixels of each window: (N, rows, columns, size, size, C) -> the same."""

    def __init__(self, *, num_feat: int, window_size: int, pe: bool) -> None:
        super().__init__()
        self.window_size = window_size
        self.to_qkv = nn.Linear(num_feat, 3 * num_feat, bias=False)
        self.to_out = nn.Sequential(nn.Linear(num_feat, num_feat, bias=False))
        self.rel_pos_bias = nn.Embedding((2 * window_size - 1) ** 2, HEADS) if pe else None

    def forward(self, windows: Tensor) -> Tensor:
        tokens = windows.flatten(3, 4).flatten(0, 2)
        heads = torch.unflatten(self.to_qkv(tokens), -1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = heads.unbind(0)
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
        if self.rel_pos_bias is not None:
            window = (self.window_size, self.window_size)
            scores = scores + pairwise_bias(self.rel_pos_bias.weight, window)
        attended = (scores.softmax(-1) @ value).transpose(1, 2).flatten(2)
        result: Tensor = self.to_out(attended)
        return result.view(windows.shape)


class ChannelAttention(nn.Module):
    """Attention among the channels of each head, over the pixels of a window of neighbours, or of pixels far apart.

    Those far apart are here one pixel of every window: the ones at the same place.
    """

    def __init__(self, *, num_feat: int, window_size: int, far: bool) -> None:
        super().__init__()
        self.window_size, self.far = window_size, far
        self.temperature = nn.Parameter(torch.ones(HEADS, 1, 1))
        self.qkv = nn.Conv2d(num_feat, 3 * num_feat, 1, bias=False)
        self.qkv_dwconv = nn.Conv2d(3 * num_feat, 3 * num_feat, 3, padding=1, groups=3 * num_feat, bias=False)
        self.project_out = nn.Conv2d(num_feat, num_feat, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        size = self.window_size
        split = _split(self.qkv_dwconv(self.qkv(features)), size, far=False)
        split = torch.unflatten(split, 1, (3, HEADS, -1))  # N, 3, heads, channels, rows, size, columns, size
        # First what tells the groups of pixels apart, then heads and channels, last the pixels of a group.
        order = (1, 0, 5, 7, 2, 3, 4, 6) if self.far else (1, 0, 4, 6, 2, 3, 5, 7)
        groups = split.permute(order)
        query, key, value = groups.flatten(-2).unbind(0)
        scores = cosines(query, key) * self.temperature
        attended = (scores.softmax(-1) @ value).view(groups.shape[1:])
        back = (0, 3, 4, 5, 1, 6, 2) if self.far else (0, 3, 4, 1, 5, 2, 6)
        picture = attended.permute(back).flatten(5).flatten(3, 4).flatten(1, 2)
        result: Tensor = self.project_out(picture)
        return result
