"""A bias for every pair of pixels of a window, out of a table with one entry for each offset between them.

Published nets look the entries up with an index that their files hold. Here copies and slices of the table do it,
because the gradient of a lookup is an `index_put`, which is slow and which `torch.compile` may misorder (see
`sr.archs.upsampling`).
"""

import torch
from torch import Tensor

from sr.archs.windows import Rectangle


def offsets(window: Rectangle) -> Tensor:
    """Every offset between two pixels of a window, row by row from the lowest: ((2h - 1) * (2w - 1), 2) floats."""
    rows, columns = (torch.arange(1.0 - side, side) for side in window)
    return torch.cartesian_prod(rows, columns)


def pair_indices(window: Rectangle) -> Tensor:
    """The row in `offsets` of the offset from each pixel to each: (h * w, h * w), as published files hold it."""
    rows, columns = (torch.arange(side)[:, None] - torch.arange(side) + side - 1 for side in window)
    index = rows[:, None, :, None] * (2 * window[1] - 1) + columns[None, :, None, :]
    return index.reshape(window[0] * window[1], -1)


def pairwise_bias(table: Tensor, window: Rectangle) -> Tensor:
    """The entries of a table of `offsets` at `pair_indices`: (offsets, heads) -> (heads, h * w, h * w).

    For two pixels i and j this is the entry of the offset i - j.
    """
    return _spread(table.flip(0), queries=window, keys=window)


def overlap_indices(queries: int, keys: int) -> Tensor:
    """The row of a table for each pixel of a window and each of a larger one: (queries**2, keys**2).

    The windows have sides of `queries` and `keys` pixels. The rows count offsets from the first to the second, as HAT
    does; the first ones have negative numbers, and so stand at the end of the table.
    """
    side = queries + keys - 1
    steps = torch.arange(keys) - torch.arange(queries)[:, None] + queries - keys + 1
    return (side * steps[:, None, :, None] + steps[None, :, None, :]).reshape(queries**2, keys**2)


def overlap_bias(table: Tensor, *, queries: int, keys: int) -> Tensor:
    """The entries at `overlap_indices`: ((queries + keys - 1)**2, heads) -> (heads, queries**2, keys**2)."""
    ordered = table.roll((keys - 2) * (queries + keys), 0)
    return _spread(ordered, queries=(queries, queries), keys=(keys, keys))


def _spread(table: Tensor, *, queries: Rectangle, keys: Rectangle) -> Tensor:
    """A table with an entry for each offset from query to key, from the lowest -> (heads, queries, keys).

    Neighbouring rows of the result are the same line, moved by one. So it is cut out of repetitions of the table, one
    axis after the other.
    """
    rows, columns = (query + key - 1 for query, key in zip(queries, keys, strict=True))
    heads = table.shape[1]
    lines = _moving(table.reshape(rows, columns * heads), queries[0], keys[0])
    lines = lines.reshape(queries[0] * keys[0], columns, heads).transpose(0, 1).reshape(columns, -1)
    pairs = _moving(lines, queries[1], keys[1]).reshape(queries[1], keys[1], queries[0], keys[0], heads)
    return pairs.permute(4, 2, 0, 3, 1).reshape(heads, queries[0] * queries[1], keys[0] * keys[1])


def _moving(lines: Tensor, queries: int, keys: int) -> Tensor:
    """(queries + keys - 1, C) -> (queries, keys, C): for query q and key k the line k - q + queries - 1."""
    side = queries + keys - 1
    repeated = lines.expand(queries, *lines.shape).reshape(queries * side, -1)
    # Read with a step that is shorter by one, each repetition begins one line earlier than the one before. A single
    # line has no step.
    step = max(side - 1, 1)
    moved = repeated[queries - 1 : queries - 1 + queries * step].reshape(queries, step, -1)
    return moved[:, :keys]
