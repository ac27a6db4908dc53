"""The geometry of attention in windows: cutting a picture into windows and back, shifted windows, relative positions.

Pictures are (N, H, W, C) here, because attention mixes pixels and every other layer of a transformer mixes channels.
Nothing branches on H and W, so that exporters keep them free.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

# Added to the score of two pixels that may not see each other: the published nets were trained with it, and not with
# minus infinity.
_BLIND = -100.0


def cut_windows(picture: Tensor, size: int) -> Tensor:
    """(N, H, W, C) with sides that `size` divides -> (N, windows, size * size, C), row after row."""
    batch, height, width, channels = picture.shape
    grid = picture.reshape(batch, height // size, size, width // size, size, channels)
    return grid.transpose(2, 3).reshape(batch, -1, size * size, channels)


def join_windows(windows: Tensor, *, size: int, height: int, width: int) -> Tensor:
    """The picture (N, height, width, C) of which these are the windows, in the order of `cut_windows`."""
    batch, channels = windows.shape[0], windows.shape[-1]
    grid = windows.reshape(batch, height // size, width // size, size, size, channels)
    return grid.transpose(2, 3).reshape(batch, height, width, channels)


def cut_overlapping_windows(picture: Tensor, size: int, *, reach: int) -> Tensor:
    """Windows that also see `reach` pixels beyond each side, and zeros beyond the picture.

    (N, H, W, C) with sides that `size` divides -> (N, windows, (size + 2 * reach)**2, C), in the order of
    `cut_windows`. `reach` is half of `size` at most. Made of slices and not of an unfolding, which few exporters know
    and whose gradient is written by index.
    """
    side = size + 2 * reach
    batch, height, width, channels = picture.shape
    # Behind the last window as much as a whole window, so that the slices below are as long as the picture.
    padded = F.pad(picture, (0, 0, reach, size - reach, reach, size - reach))
    grid = _overlapping(_overlapping(padded, 1, height, size, side), 3, width, size, side)
    return grid.transpose(2, 3).reshape(batch, -1, side * side, channels)


def _overlapping(picture: Tensor, axis: int, length: int, size: int, side: int) -> Tensor:
    """An axis of `length` + `size` pixels as two: windows, and the `side` pixels that each of them sees."""
    shape = [*picture.shape[:axis], length // size, size, *picture.shape[axis + 1 :]]
    here = picture.narrow(axis, 0, length).reshape(shape)
    following = picture.narrow(axis, size, length).reshape(shape)
    return torch.cat((here, following.narrow(axis + 1, 0, side - size)), axis + 1)


def shift_mask(height: int, width: int, *, size: int, device: torch.device | None = None) -> Tensor:
    """What keeps windows of a rolled picture from looking across its border: (windows, size**2, size**2).

    Rolled by half a window, the last windows hold pixels of opposite borders, which are no neighbours: their pairs get
    -100, and all others 0 (Swin Transformer, Liu et al. 2021, sec. 3.2).
    """
    rows, columns = (_parts(length, size, device) for length in (height, width))
    parts = (3 * rows[:, None] + columns)[None, :, :, None]
    windows = cut_windows(parts, size).squeeze(3).squeeze(0)
    apart = windows[:, :, None] != windows[:, None, :]
    return apart.to(torch.float32) * _BLIND


def _parts(length: int, size: int, device: torch.device | None) -> Tensor:
    """The part of a rolled line that each pixel belongs to: 0 to the last window, 1 in it, 2 what was rolled in."""
    places = torch.arange(length, device=device)
    return (places >= length - size).long() + (places >= length - size // 2).long()


def relative_index(queries: int, keys: int) -> Tensor:
    """The row of a table of biases for each query and key: (queries**2, keys**2), as published files hold it.

    With equal sides the rows count the distance from key to query, as Swin Transformer does, otherwise that from query
    to key, as HAT does, where the first rows have negative numbers and stand at the end of the table.
    """
    side = queries + keys - 1
    query, key = torch.arange(queries)[:, None], torch.arange(keys)
    steps = query - key + keys - 1 if queries == keys else key - query + queries - keys + 1
    index = side * steps[:, None, :, None] + steps[None, :, None, :]
    return index.reshape(queries**2, keys**2)


def relative_bias(table: Tensor, *, queries: int, keys: int) -> Tensor:
    """The entries of a table at `relative_index`: ((queries + keys - 1)**2, heads) -> (heads, queries**2, keys**2).

    Neighbouring rows of the result are the same line, moved by one. So it is cut out of repetitions of the table, one
    axis after the other: by index, its gradient would be an `index_put` under `torch.compile` (see
    sr/archs/upsampling.py).
    """
    side, heads = queries + keys - 1, table.shape[1]
    ordered = table.flip(0) if queries == keys else table.roll((keys - 2) * (side + 1), 0)
    lines = _moving(ordered.reshape(side, side * heads), queries, keys)
    lines = lines.reshape(queries * keys, side, heads).transpose(0, 1).reshape(side, -1)
    square = _moving(lines, queries, keys).reshape(queries, keys, queries, keys, heads)
    return square.permute(4, 2, 0, 3, 1).reshape(heads, queries**2, keys**2)


def _moving(lines: Tensor, queries: int, keys: int) -> Tensor:
    """(queries + keys - 1, C) -> (queries, keys, C): for query q and key k the line k - q + queries - 1."""
    side = queries + keys - 1
    repeated = lines.expand(queries, *lines.shape).reshape(queries * side, -1)
    # Read with a step that is shorter by one, each repetition begins one line earlier than the one before.
    moved = repeated[queries - 1 : queries * side - 1].reshape(queries, side - 1, -1)
    return moved[:, :keys]
