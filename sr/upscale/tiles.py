"""An image through a net, tile by tile: the image stays as it is, only tiles become floats and travel."""

from collections.abc import Callable
from itertools import islice

import numpy as np
import torch

from sr.ops.image import to_float
from sr.ops.tile import Grid, Tile
from sr.upscale.network import Network


def enlarge(
    image: np.ndarray,
    *,
    network: Network,
    grid: Grid,
    batch: int = 1,
    advance: Callable[[int], object] = lambda tiles: None,
) -> np.ndarray:
    """(H, W, C) uint8 or uint16 -> (H*scale, W*scale, C) of the same dtype.

    Besides the two arrays this holds `batch` tiles as floats, and of the blended zones one row of tiles.

    Args:
        grid: the tiles of the image.
        batch: tiles that are enlarged at once.
        advance: is called with the number of tiles done.
    """
    height, width, channels = image.shape
    scale = network.scale
    joined = np.empty((height * scale, width * scale, channels), image.dtype)
    seams = _Seams(joined, grid, scale)
    tiles = iter(grid)
    while some := list(islice(tiles, batch)):
        floats = np.stack([to_float(_seen(image, tile)) for tile in some])
        enlarged = network(torch.from_numpy(floats).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
        for tile, values in zip(some, enlarged, strict=True):
            seams.add(tile, values)
        advance(len(some))
    return joined


def _seen(image: np.ndarray, tile: Tile) -> np.ndarray:
    return image[tile.rows.start : tile.rows.stop, tile.columns.start : tile.columns.stop]


class _Seams:
    """Blends tiles that come in reading order.

    Every tile finishes a rectangle. What it adds to the fade on its right is kept for the next tile, what it adds to
    the fade below (the part that the right neighbour does not get) for the next row. So only the fades are ever held
    as floats, and nothing is rounded before it is complete.
    """

    def __init__(self, joined: np.ndarray, grid: Grid, scale: int) -> None:
        channels = joined.shape[2]
        self._joined = joined
        self._scale = scale
        self._top = float(np.iinfo(joined.dtype).max)
        # All fades along an axis have one length, the last span has none.
        self._below = np.zeros((grid.rows[0].fade_out * scale, joined.shape[1], channels), np.float32)
        self._right = np.zeros((0, 0, channels), np.float32)

    def add(self, tile: Tile, enlarged: np.ndarray) -> None:
        """`enlarged` is what became of all that the net saw of the tile."""
        scale, rows, columns = self._scale, tile.rows, tile.columns
        top = (rows.own_start - rows.start) * scale
        left = (columns.own_start - columns.start) * scale
        down, across = rows.weights(scale), columns.weights(scale)
        weighted = enlarged[top : top + len(down), left : left + len(across)] * down[:, None, None]
        weighted *= across[:, None]
        height = (rows.own_stop - rows.own_start) * scale
        width = (columns.own_stop - columns.own_start) * scale
        if columns.fade_in:
            weighted[:, : columns.fade_in * scale] += self._right
        self._right = weighted[:, width:].copy()
        place = slice(columns.own_start * scale, columns.own_stop * scale)
        if rows.fade_in:
            weighted[: rows.fade_in * scale, :width] += self._below[:, place]
        if rows.fade_out:
            self._below[:, place] = weighted[height:, :width]
        self._joined[rows.own_start * scale : rows.own_stop * scale, place] = self._levels(
            weighted[:height, :width]
        )

    def _levels(self, values: np.ndarray) -> np.ndarray:
        values *= self._top
        np.rint(values, out=values)
        np.clip(values, 0, self._top, out=values)
        return values.astype(self._joined.dtype)
