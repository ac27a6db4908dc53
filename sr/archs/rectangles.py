"""The geometry of rectangular windows: offsets between their pixels, and masks for windows of a rolled picture."""

import torch
from torch import Tensor

Rectangle = tuple[int, int]  # height, width

# Added to the score of two pixels that may not see each other, as the published nets were trained.
_BLIND = -100.0


def whole_windows(side: int, size: int) -> int:
    """The next multiple of `size`, written so that exporters see that it is one."""
    return (side + size - 1) // size * size


def offsets(window: Rectangle) -> Tensor:
    """Every offset between two pixels of a window, row by row from the lowest: ((2h - 1) * (2w - 1), 2) floats."""
    rows, columns = (torch.arange(1.0 - side, side) for side in window)
    return torch.cartesian_prod(rows, columns)


def pair_indices(window: Rectangle) -> Tensor:
    """The row in `offsets` of the offset from each pixel to each: (h * w, h * w), as published files hold it."""
    rows, columns = (torch.arange(side)[:, None] - torch.arange(side) + side - 1 for side in window)
    index = rows[:, None, :, None] * (2 * window[1] - 1) + columns[None, :, None, :]
    return index.reshape(window[0] * window[1], -1)


def shift_mask(height: int, width: int, *, window: Rectangle, device: torch.device | None = None) -> Tensor:
    """What keeps windows of a rolled picture from looking across its border: (windows, h * w, h * w).

    Rolled by half a window, the last windows hold pixels of opposite borders, which are no neighbours: their pairs get
    -100, and all others 0.
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
