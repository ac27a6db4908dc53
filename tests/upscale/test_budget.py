"""Tiles that fit into the memory."""

import pytest
from upscaling import network

from sr.archs.srvgg import SRVGGNetCompact
from sr.upscale.budget import affordable_pixels, batch_size, best_grid, bytes_per_pixel
from sr.upscale.grid import Grid


@pytest.mark.parametrize("size", [(512, 512), (4096, 4096), (1, 10000), (10000, 1), (300, 3000), (16, 50)])
@pytest.mark.parametrize("pixels", [10_000, 65_536, 10**6])
def test_grids_keep_to_the_memory_and_waste_little(size: tuple[int, int], pixels: int) -> None:
    grid = best_grid(*size, pixels=pixels, reach=7, fade=1, align=4)
    height, width = grid.tile_size
    assert height * width <= pixels
    smallest = (1 + 16 / (pixels**0.5 - 16)) ** 2  # the overlap of square tiles
    assert len(grid) * height * width <= 1.15 * smallest * size[0] * size[1]


def test_where_margins_alone_exceed_the_memory_tiles_are_small() -> None:
    grid: Grid = best_grid(1000, 1000, pixels=100, reach=20, fade=2, align=1)
    assert max(grid.tile_size) <= 16 + 44


def test_budget_follows_the_width_of_the_net(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sr.upscale.budget.free_memory", lambda device: 2**28)
    narrow, wide = (network(SRVGGNetCompact(scale=2, num_feat=width, num_conv=1)) for width in (8, 64))
    # 64 channels of 4 bytes read and written, twice; the result of 12 values six times.
    assert bytes_per_pixel(wide) == 2 * 2 * 64 * 4 + 6 * 12 * 4
    assert affordable_pixels(wide) == 2**26 // bytes_per_pixel(wide)
    assert affordable_pixels(narrow) > 2 * affordable_pixels(wide)
    half = network(SRVGGNetCompact(scale=2, num_feat=64, num_conv=1), precision="bf16")
    assert bytes_per_pixel(half) == 2 * 2 * 64 * 2 + 6 * 12 * 4
    grid = best_grid(100, 100, pixels=1000, reach=2, fade=1, align=1)
    assert batch_size(wide, grid, pixels=5000) == 5000 // (grid.tile_size[0] * grid.tile_size[1])
