"""Cutting an image into overlapping tiles of one size, and joining their results without seams."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in pixels of the input: `start <= own_start < own_stop <= stop`.

    Attributes:
        start: the beginning of the span that the net sees.
        stop: its end.
        own_start: the beginning of the part that this tile finishes. The parts of all tiles cover an axis without gap
            or overlap.
        own_stop: the end of this part.
        fade_in: the number of pixels, from `own_start` on, blended with the span before; 0 without one.
        fade_out: the number of pixels, from `own_stop` on, blended with the span behind; 0 without one.
    """

    start: int
    stop: int
    own_start: int
    own_stop: int
    fade_in: int
    fade_out: int

    def weights(self, scale: int) -> np.ndarray:
        """(own_stop + fade_out - own_start) * scale float32 from the first own pixel on: 1 between ramps.

        The ramp of a span and that of its neighbour add up to 1 at every pixel.
        """
        weights = np.ones((self.own_stop + self.fade_out - self.own_start) * scale, np.float32)
        if self.fade_in:
            weights[: self.fade_in * scale] = _ramp(self.fade_in * scale)
        if self.fade_out:
            weights[-self.fade_out * scale :] = 1 - _ramp(self.fade_out * scale)
        return weights


@dataclass(frozen=True)
class Tile:
    """A rectangle of an image: the span that the net sees on each axis, and the part that the tile finishes."""

    rows: Span
    columns: Span


@dataclass(frozen=True)
class Grid:
    """The tiles of an image, all of one size, in reading order."""

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def __iter__(self) -> Iterator[Tile]:
        return (Tile(rows, columns) for rows in self.rows for columns in self.columns)

    @property
    def tile_size(self) -> tuple[int, int]:
        """The (height, width) that the net sees."""
        return self.rows[0].stop - self.rows[0].start, self.columns[0].stop - self.columns[0].start


def cut(height: int, width: int, *, tile: tuple[int, int], reach: int, fade: int = 0, align: int = 1) -> Grid:
    """Cut an image into tiles, see `cut_axis`; `tile` is (height, width)."""
    return Grid(
        rows=cut_axis(height, tile=tile[0], reach=reach, fade=fade, align=align),
        columns=cut_axis(width, tile=tile[1], reach=reach, fade=fade, align=align),
    )


def cut_axis(length: int, *, tile: int, reach: int, fade: int = 0, align: int = 1) -> tuple[Span, ...]:
    """Spans of one size that cover `length` pixels, with the least overlap that the arguments allow.

    A span at the border of the image ends there without a margin, so a net pads at the same border as for the whole
    image, and padding elsewhere does not matter.

    Args:
        length: the pixels along the axis, at least 1.
        tile: the largest distance between the starts of two spans (rounded up to `align`); 0 makes one span.
        reach: the distance in pixels within which an input pixel matters. Every pixel that is used lies at least so far
            from a cut.
        fade: the pixels on either side of a seam that are blended; fewer where tiles are narrower.
        align: the number whose multiples are starts of spans, as a net that unshuffles its pixels needs. The size of a
            span leaves the same remainder as `length`, so this is also true for a mirrored tile.

    Raises:
        ValueError: a number is out of range.
    """
    if length < 1 or tile < 0 or reach < 0 or fade < 0 or align < 1:
        raise ValueError(
            f"length={length}, tile={tile}, reach={reach}, fade={fade}, align={align}: out of range"
        )
    overlap = 2 * (reach + fade)
    if tile == 0 or length <= tile + overlap:
        return (Span(0, length, 0, length, 0, 0),)
    starts, size = _place(length, tile=-(-tile // align) * align, overlap=overlap, align=align)
    steps = [later - earlier for earlier, later in pairwise(starts)]
    half = min([fade, *(step // 2 for step in steps)])  # no pixel lies in more than two spans' fades
    # The middle of an overlap is as far as possible from both cuts.
    fades = [(later + earlier + size) // 2 - half for earlier, later in pairwise(starts)]
    return tuple(
        Span(
            start=start,
            stop=start + size,
            own_start=own_start,
            own_stop=own_stop,
            fade_in=2 * half if start else 0,
            fade_out=2 * half if start + size < length else 0,
        )
        for start, own_start, own_stop in zip(starts, [0, *fades], [*fades, length], strict=True)
    )


def _place(length: int, *, tile: int, overlap: int, align: int) -> tuple[list[int], int]:
    """The starts and the common size of spans that overlap by `overlap` pixels or a little more."""
    count = -(-(length - overlap) // tile)
    size = -(-(length + overlap * (count - 1)) // count)
    size += (length - size) % align
    while size < length:
        free = (length - size) // align
        if align * -(-free // (count - 1)) <= size - overlap:
            return [free * number // (count - 1) * align for number in range(count)], size
        size += align
    return [0], length


def _ramp(length: int) -> np.ndarray:
    """(length,) float32 rising from just above 0 to just below 1, symmetric."""
    return ((np.arange(length) + 0.5) / length).astype(np.float32)
