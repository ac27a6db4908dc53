"""A scene through a net, block by block, in memory that does not depend on its size."""

from collections.abc import Callable
from math import isqrt

import numpy as np

from sr.geo.scene import Reader, Shape, Writer
from sr.ops.no_data import enlarged, filled
from sr.pictures.picture import Picture
from sr.upscale.grid import Grid, Tile, cut

RESULT = 256 * 2**20  # bytes of the result of a block
SMALLEST, LARGEST = 64, 2048  # side of a block


def blocks(shape: Shape, *, scale: int, margin: Callable[[], tuple[int, int]]) -> Grid:
    """The blocks of a scene, each of which is enlarged by itself.

    Args:
        shape: the scene.
        scale: the factor.
        margin: measures how far pixels matter to the net, and the number whose multiples a block may start at. It is
            called only where there is something to cut.
    """
    affordable = isqrt(RESULT // (scale**2 * shape.bands * shape.dtype.itemsize))
    side = min(max(affordable, SMALLEST), LARGEST)
    if max(shape.height, shape.width) <= side:
        return cut(shape.height, shape.width, tile=(0, 0), reach=0)
    reach, align = margin()
    return cut(shape.height, shape.width, tile=(side, side), reach=reach, align=align)


def enlarge_scene(
    reader: Reader,
    writer: Writer,
    *,
    grid: Grid,
    scale: int,
    enlarge: Callable[[Picture], Picture],
    advance: Callable[[int], object] = lambda blocks: None,
) -> None:
    """Read, enlarge and write every block. A block is read with a margin, whose result is not used.

    Where a mask or alpha says that there are no data, the net sees the nearest pixel with data, and the mask of the
    result is the same, enlarged by the nearest pixel. A block without any data is not given to the net.

    Args:
        reader: the scene.
        writer: the scene to write, `scale` times as large.
        grid: the blocks.
        scale: the factor.
        enlarge: gives the picture `scale` times as large, and keeps pixels that have no data by value.
        advance: a function that is called after each block.
    """
    for tile in grid:
        values, mask = reader.read(slice(tile.rows.start, tile.rows.stop), _across(tile))
        if mask is not None and not mask.all():
            result = _masked(values, mask, reader.shape, scale, enlarge)
        else:
            result = enlarge(Picture(values, nodata=reader.shape.nodata)).colour
        larger = None if mask is None else enlarged(mask[:, :, None], size=result.shape[:2])[:, :, 0]
        rows, columns = _own(tile, scale)
        writer.write(
            result[rows, columns],
            None if larger is None else larger[rows, columns],
            top=tile.rows.own_start * scale,
            left=tile.columns.own_start * scale,
        )
        advance(1)


def _masked(
    values: np.ndarray, mask: np.ndarray, shape: Shape, scale: int, enlarge: Callable[[Picture], Picture]
) -> np.ndarray:
    if not mask.any():
        return values.repeat(scale, axis=0).repeat(scale, axis=1)
    valid = np.broadcast_to(mask[:, :, None], values.shape)
    return enlarge(Picture(filled(values, valid), nodata=shape.nodata)).colour


def _across(tile: Tile) -> slice:
    return slice(tile.columns.start, tile.columns.stop)


def _own(tile: Tile, scale: int) -> tuple[slice, slice]:
    """The part of a block's result that is its own, without the margin."""
    rows, columns = (
        slice((span.own_start - span.start) * scale, (span.own_stop - span.start) * scale)
        for span in (tile.rows, tile.columns)
    )
    return rows, columns
