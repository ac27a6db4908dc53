"""The geometry of attention in windows: cutting a picture into windows and back, and masks for shifted windows.

Pictures are (N, H, W, C) here, because attention mixes pixels and every other layer of a transformer mixes channels.
Nothing branches on H and W, so that exporters keep them free.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

Rectangle = tuple[int, int]  # height, width

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


def shift_mask(height: int, width: int, *, window: Rectangle, device: torch.device | None = None) -> Tensor:
    """What keeps windows of a rolled picture from looking across its border: (windows, h * w, h * w).

    Rolled by half a window, the last windows hold pixels of opposite borders, which are no neighbours: their pairs get
    -100, and all others 0 (Swin Transformer, Liu et al. 2021, sec. 3.2). The windows divide the picture.
    """
    rows = _parts(height, window[0], device)
    columns = _parts(width, window[1], device)
    parts = (3 * rows[:, None, :, None] + columns[None, :, None, :]).reshape(-1, window[0] * window[1])
    return (parts[:, :, None] != parts[:, None, :]).float() * _BLIND


def _parts(length: int, size: int, device: torch.device | None) -> Tensor:
    """The part of a rolled line that each pixel is of, (windows, size): inside, last window, or rolled in."""
    places = torch.arange(length, device=device)
    parts = (places >= length - size).long() + (places >= length - size // 2).long()
    return parts.reshape(-1, size)
