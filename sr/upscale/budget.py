"""The size of tiles: the memory for a pixel, the memory that is free, and the grid with the least work."""

from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn

from sr.ops.hardware import free_memory
from sr.upscale.engines.in_torch import TorchEngine
from sr.upscale.grid import Grid, cut
from sr.upscale.network import Network

# On a CPU, larger tiles only have a smaller overlap, which is already small at this size.
CPU_BYTES = 3 * 2**29
SHARE = {"cpu": 0.25, "cuda": 0.6, "mps": 0.6}  # share of the free memory that tiles may use
CPU_BATCH_PIXELS = 128**2  # a CPU gains from a batch only when tiles are tiny
SMALLEST = 16  # side of a tile without its margins
PROBE = 16


def affordable_pixels(network: Network) -> int:
    """The number of input pixels that may be enlarged at once on the device of the network."""
    memory = free_memory(network.device) * SHARE[network.device.type]
    if network.device.type == "cpu":
        memory = min(memory, CPU_BYTES)
    return max(int(memory / bytes_per_pixel(network)), 1)


def bytes_per_pixel(network: Network) -> int:
    """The working memory for one input pixel, measured on a small image.

    It is twice what the widest layer reads and writes, because sums, activations and concatenations hold copies and a
    convolution may need scratch memory, plus six times the result, which is shuffled, added, clamped and weighted.
    """
    widest = 0

    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal widest
        sizes = [value.nbytes for value in (*inputs, output) if isinstance(value, Tensor)]
        widest = max(widest, sum(sizes))

    # Other engines have no layers to look at; what torch takes in fp32 is enough for them.
    engine = network.engine if type(network.engine) is TorchEngine else network.exact
    leaves = [module for module in engine.net.modules() if not list(module.children())]
    hooks: list[Any] = [module.register_forward_hook(record) for module in leaves]
    try:
        with torch.inference_mode():
            enlarged = engine(torch.zeros(1, network.channels, PROBE, PROBE, device=network.device))
    finally:
        for hook in hooks:
            hook.remove()
    return -(-(2 * widest + 6 * enlarged.nbytes) // PROBE**2)


def batch_size(network: Network, grid: Grid, *, pixels: int, images: int = 1) -> int:
    """The number of tiles of the grid, laid on that many images, that go through the net at once."""
    if network.device.type == "cpu":
        pixels = min(pixels, CPU_BATCH_PIXELS)
    height, width = grid.tile_size
    return min(max(pixels // (height * width), 1), len(grid) * images)


def best_grid(height: int, width: int, *, pixels: int, reach: int, fade: int, align: int) -> Grid:
    """The grid that enlarges the fewest pixels, including overlaps, with no tile above `pixels`.

    Where the margins alone exceed that, it has the smallest sensible tile.
    """
    margin = 2 * (reach + fade)
    best: Grid | None = None
    # Tiles that are less high than the square one are longer, so their width is divided further.
    lowest = max(min(height, isqrt(pixels) // 2) - margin, SMALLEST)
    count = 1
    while True:
        tile_height = 0 if count == 1 else -(-(height - margin) // count)
        if count > 1 and tile_height < lowest:
            break
        rows_high = height if count == 1 else min(height, tile_height + margin + align)
        tile_width = max(pixels // rows_high - margin - align, 0)
        if width * rows_high <= pixels:
            tile_width = 0
        elif tile_width < SMALLEST:
            count += 1
            continue
        grid = cut(height, width, tile=(tile_height, tile_width), reach=reach, fade=fade, align=align)
        if best is None or _work(grid) < _work(best):
            best = grid
        count += 1
    return best or cut(height, width, tile=(SMALLEST, SMALLEST), reach=reach, fade=fade, align=align)


def _work(grid: Grid) -> int:
    height, width = grid.tile_size
    return len(grid) * height * width
