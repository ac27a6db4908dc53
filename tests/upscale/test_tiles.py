"""Tiled equals whole, for every kind of net, any size and any tile."""

import numpy as np
import pytest
import torch
from torch import nn
from upscaling import enlarge

from sr.archs.rrdbnet import RRDBNet
from sr.archs.srresnet import SRResNet
from sr.archs.srvgg import SRVGGNetCompact
from sr.upscale.alignment import measure_alignment
from sr.upscale.grid import cut
from sr.upscale.network import Network
from sr.upscale.reach import measure_reach


def lively(net: nn.Module) -> nn.Module:
    """Weights strong enough for far pixels to matter, and an output that stays in range."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.Conv2d):
                fan_in = module.weight[0].numel()
                module.weight.copy_(
                    torch.randn(module.weight.shape, generator=generator) * (1.6 / fan_in) ** 0.5
                )
        convolutions = [module for module in net.modules() if isinstance(module, nn.Conv2d)]
        spread = net.eval()(torch.rand(1, 3, 24, 24, generator=generator)).std()
        convolutions[-1].weight.mul_(0.25 / spread)
    return net.eval().requires_grad_(False)


def network(net: nn.Module, scale: int, **options: object) -> Network:
    return Network(net=lively(net), scale=scale, channels=3, device=torch.device("cpu"), **options)  # type: ignore[arg-type]


NETS = {
    "rrdbnet x4": lambda: network(RRDBNet(num_feat=8, num_block=2, num_grow_ch=4), 4),
    "rrdbnet x3": lambda: network(RRDBNet(scale=3, num_feat=8, num_block=1, num_grow_ch=4), 3),
    "rrdbnet x2, unshuffled": lambda: network(RRDBNet(scale=2, num_feat=8, num_block=1, num_grow_ch=4), 2),
    "rrdbnet x1, unshuffled": lambda: network(RRDBNet(scale=1, num_feat=8, num_block=1, num_grow_ch=4), 1),
    "srvgg": lambda: network(SRVGGNetCompact(scale=2, num_feat=8, num_conv=3), 2),
    "srvgg, bicubic skip": lambda: network(
        SRVGGNetCompact(scale=3, num_feat=8, num_conv=3, skip="bicubic"), 3
    ),
    "srresnet": lambda: network(SRResNet(scale=2, num_feat=8, num_block=2), 2),
    "self-ensemble": lambda: network(
        RRDBNet(scale=2, num_feat=8, num_block=1, num_grow_ch=4), 2, self_ensemble=True
    ),
}


@pytest.mark.parametrize("cases", [12, pytest.param(60, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NETS)
def test_tiled_equals_whole(name: str, cases: int) -> None:
    net = NETS[name]()
    align = measure_alignment(net)
    reach = measure_reach(net, align=align)
    assert reach.complete
    rng = np.random.default_rng(len(name) + cases)
    for _ in range(cases):
        height, width = rng.integers(1, 201, 2) if rng.random() < 0.3 else rng.integers(1, 90, 2)
        tile = tuple(rng.integers(1, 65, 2))
        batch, fade = int(rng.integers(1, 4)), int(rng.integers(0, 6))
        image = rng.integers(0, 256, (height, width, 3), np.uint8)
        whole = enlarge(image, network=net, grid=cut(height, width, tile=(0, 0), reach=0))
        grid = cut(height, width, tile=tile, reach=reach.pixels, fade=fade, align=align)
        tiled = enlarge(image, network=net, grid=grid, batch=batch)
        worst = np.abs(whole.astype(int) - tiled).max()
        assert worst <= 1, f"{height}x{width} in tiles of {grid.tile_size}: {worst}/255"


def test_without_its_margin_tiled_is_not_whole() -> None:
    """What the tests above would see if the reach were measured wrong."""
    net = NETS["rrdbnet x4"]()
    image = np.random.default_rng(0).integers(0, 256, (80, 80, 3), np.uint8)
    whole = enlarge(image, network=net, grid=cut(80, 80, tile=(0, 0), reach=0))
    tiled = enlarge(image, network=net, grid=cut(80, 80, tile=(32, 32), reach=0))
    assert np.abs(whole.astype(int) - tiled).max() > 8


def test_sixteen_bits_are_blended_as_finely() -> None:
    """Within the tolerance of the reach, which is 26 of 65535 levels at each of the four cuts around a pixel."""
    net = NETS["srvgg"]()
    image = np.random.default_rng(0).integers(0, 65536, (60, 70, 3), np.uint16)
    whole = enlarge(image, network=net, grid=cut(60, 70, tile=(0, 0), reach=0))
    grid = cut(60, 70, tile=(16, 16), reach=measure_reach(net).pixels, fade=3)
    assert np.abs(whole.astype(int) - enlarge(image, network=net, grid=grid, batch=4)).max() <= 4 * 26


@pytest.mark.slow
@pytest.mark.parametrize("gain", [1, 15])
def test_published_depth(gain: float) -> None:
    """RRDBNet 64/23/32, of whose 350 pixels of receptive field a few matter.

    Also with branches 15 times as strong as at the start of training, which carry four times as far.
    """
    net = RRDBNet().eval().requires_grad_(False)
    with torch.no_grad():
        for module in net.body.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.mul_(gain)
        result = net(torch.rand(1, 3, 32, 32))
        net.conv_last.weight.mul_(0.25 / result.std())
        net.conv_last.bias.add_(0.5 - result.mean() * 0.25 / result.std())  # type: ignore[union-attr]
    deep = Network(net=net, scale=4, channels=3, device=torch.device("cpu"))
    reach = measure_reach(deep)
    assert reach.complete
    assert 3 <= reach.pixels <= 30
    image = np.random.default_rng(0).integers(0, 256, (96, 90, 3), np.uint8)
    whole = enlarge(image, network=deep, grid=cut(96, 90, tile=(0, 0), reach=0))
    grid = cut(96, 90, tile=(32, 48), reach=reach.pixels, fade=max(reach.pixels // 8, 1))
    assert len(grid) > 1
    assert np.abs(whole.astype(int) - enlarge(image, network=deep, grid=grid)).max() <= 1
