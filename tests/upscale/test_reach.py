"""How far the pixels are that matter to a net."""

import torch
from helpers import picture as smooth
from torch import Tensor, nn
from upscaling import Hungry, network

from sr.archs.srvgg import SRVGGNetCompact
from sr.pictures.picture import Picture
from sr.upscale.reach import LONGEST, measure_reach
from sr.upscale.upscaler import Upscaler


def test_reach_is_that_of_the_convolutions() -> None:
    """Three 3x3 convolutions see three pixels far, and a net without any sees none."""
    net = SRVGGNetCompact(scale=1, num_feat=8, num_conv=1).eval()
    with torch.no_grad():
        for conv in net.body[::2]:
            conv.weight.copy_(torch.ones_like(conv.weight) / conv.weight[0].numel())  # type: ignore[operator]
    assert measure_reach(network(net, scale=1)).pixels == 3
    assert measure_reach(network(Hungry(10**9, MemoryError))).pixels == 0


class Global(nn.Module):
    """Every pixel matters everywhere."""

    def forward(self, lr: Tensor) -> Tensor:
        return lr - lr.mean((2, 3), keepdim=True)


def test_reach_without_end_is_said() -> None:
    said: list[str] = []
    reach = measure_reach(network(Global(), scale=1))
    assert (reach.pixels, reach.complete) == (LONGEST, False)
    Upscaler(network=network(Global(), scale=1), tile=8, report=said.append)(Picture(smooth(8, 300)))
    assert said[0].startswith("pixels matter to this net further than 128 away")
