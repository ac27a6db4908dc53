"""Images through a net, tile by tile: only tiles become floats and move to the device."""

from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np
import torch

from sr.ops.normalisation import FULL_RANGE, Normalisation
from sr.upscale.canvas import Canvas, make_canvas
from sr.upscale.flat import Flat
from sr.upscale.grid import Grid, Tile
from sr.upscale.network import Network


def enlarge_all(
    images: Sequence[np.ndarray],
    *,
    network: Network,
    grid: Grid,
    size: tuple[int, int] | None = None,
    keep_flat: bool = False,
    batch: int = 1,
    by: Normalisation = FULL_RANGE,
    advance: Callable[[int], object] = lambda tiles: None,
) -> list[np.ndarray]:
    """Images of one size, each (H, W, C) stored values -> as many, each (*size, C) of the same dtype.

    Besides the images and the results, this holds `batch` tiles as floats and the blended zones of one row of tiles of
    each. For another size than that of the net's output, it holds one complete row of tiles.

    Args:
        images: at least one, all of one shape and dtype.
        grid: the tiles of an image.
        size: (height, width) of a result, resampled from the output of the net; None is (H*scale, W*scale).
        keep_flat: whether the images are alpha, whose opaque and transparent regions stay so.
        batch: the number of tiles that are enlarged at once; they may be of several images.
        by: the way between stored values and those of the net.
        advance: a function that is called with the number of tiles just finished.
    """
    height, width, channels = images[0].shape
    scale = network.scale
    given = (height * scale, width * scale, channels)
    canvases = [make_canvas(given, size=size or given[:2], dtype=image.dtype, by=by) for image in images]
    seams = [
        _Seams(canvas, grid, given, flat=Flat(image) if keep_flat else None)
        for canvas, image in zip(canvases, images, strict=True)
    ]
    tiles = ((number, tile) for number in range(len(images)) for tile in grid)
    while some := list(islice(tiles, batch)):
        floats = np.stack([by.to_net(_seen(images[number], tile)) for number, tile in some])
        enlarged = network(torch.from_numpy(floats).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
        for (number, tile), values in zip(some, enlarged, strict=True):
            seams[number].add(tile, values)
        advance(len(some))
    return [canvas.result for canvas in canvases]


def _seen(image: np.ndarray, tile: Tile) -> np.ndarray:
    return image[tile.rows.start : tile.rows.stop, tile.columns.start : tile.columns.stop]


class _Seams:
    """Blends tiles that come in reading order.

    Every tile finishes a rectangle. Its part of the fade on its right is kept for the next tile, and its part of the
    fade below (which the right neighbour does not get) for the next row. So only the fades are held as floats, and
    nothing is rounded before it is complete.
    """

    def __init__(self, canvas: Canvas, grid: Grid, shape: tuple[int, int, int], *, flat: Flat | None) -> None:
        _, width, channels = shape
        self._canvas = canvas
        self._flat = flat
        self._fades = len(grid) > 1
        self._scale = scale = width // grid.columns[-1].stop
        # All fades along an axis have the same length; the last span has none.
        self._below = np.zeros((grid.rows[0].fade_out * scale, width, channels), np.float32)
        self._right = np.zeros((0, 0, channels), np.float32)

    def add(self, tile: Tile, enlarged: np.ndarray) -> None:
        """Add a tile; `enlarged` is the output for everything that the net saw of it."""
        scale, rows, columns = self._scale, tile.rows, tile.columns
        top = (rows.own_start - rows.start) * scale
        left = (columns.own_start - columns.start) * scale
        down, across = rows.weights(scale), columns.weights(scale)
        weighted = enlarged[top : top + len(down), left : left + len(across)]
        if self._fades:
            weighted = weighted * down[:, None, None]
            weighted *= across[:, None]
        height = (rows.own_stop - rows.own_start) * scale
        width = (columns.own_stop - columns.own_start) * scale
        if columns.fade_in:
            weighted[:, : columns.fade_in * scale] += self._right
        self._right = weighted[:, width:].copy()
        span = slice(columns.own_start * scale, columns.own_stop * scale)
        if rows.fade_in:
            weighted[: rows.fade_in * scale, :width] += self._below[:, span]
        if rows.fade_out:
            self._below[:, span] = weighted[height:, :width]
        finished = weighted[:height, :width]
        if self._flat is not None:
            self._flat.keep(finished, top=rows.own_start, left=columns.own_start, scale=scale)
        self._canvas.paint(finished, top=rows.own_start * scale, left=columns.own_start * scale)
