"""Where tiles may start is measured on the net itself."""

import pytest
import torch
from tiny_nets import lively
from torch import Tensor, nn
from upscaling import network

from sr.archs.rrdbnet import RRDBNet
from sr.archs.srvgg import SRVGGNetCompact
from sr.upscale.alignment import measure_alignment


class Windows(nn.Module):
    """Every pixel minus the mean of its window, whose height and width differ."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.window = (height, width)

    def forward(self, lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        below, right = -height % self.window[0], -width % self.window[1]
        padded = nn.functional.pad(lr, (0, right, 0, below), mode="replicate")
        means = nn.functional.avg_pool2d(padded, self.window)
        spread = means.repeat_interleave(self.window[0], 2).repeat_interleave(self.window[1], 3)
        return lr - spread[..., :height, :width]


class Mean(nn.Module):
    """Sees windows, and the mean of the whole image."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.windows = Windows(side, side)

    def forward(self, lr: Tensor) -> Tensor:
        windows: Tensor = self.windows(lr)
        return windows + 0.1 * lr.mean((2, 3), keepdim=True)


@pytest.mark.parametrize(
    ("net", "scale", "expected"),
    [
        (SRVGGNetCompact(scale=2, num_feat=8, num_conv=2), 2, 1),
        (RRDBNet(scale=1, num_feat=8, num_block=1, num_grow_ch=4), 1, 4),
        (RRDBNet(scale=2, num_feat=8, num_block=1, num_grow_ch=4), 2, 2),
        (Windows(1, 7), 1, 7),
        (Windows(8, 8), 1, 8),
        (Windows(8, 32), 1, 32),
        (Windows(24, 1), 1, 24),
        (Windows(6, 4), 1, 12),
        (Mean(16), 1, 16),
    ],
)
def test_the_groups_of_a_net_are_found(net: nn.Module, scale: int, expected: int) -> None:
    assert measure_alignment(network(lively(net), scale=scale)) == expected


def test_a_net_of_one_channel_is_measured_with_one() -> None:
    net = SRVGGNetCompact(scale=2, in_channels=1, out_channels=1, num_feat=4, num_conv=1)
    with torch.no_grad():
        assert measure_alignment(network(lively(net), scale=2, channels=1)) == 1
