"""Padding to a size that a net with windows needs, at any size of the image."""

import torch
from torch import Tensor


def pad_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Continue an image to the right and below by reflection until both sides are multiples.

    (N, C, H, W) -> (N, C, H', W') with H' and W' the next multiples of `multiple`. The reflection does not repeat the
    border, and goes back and forth where the image is smaller than its padding, which `F.pad` refuses. Written with
    indices alone, so that exporters keep the size free.
    """
    height, width = image.shape[-2:]
    rows = _reflected(height, multiple, image.device)
    columns = _reflected(width, multiple, image.device)
    return image.index_select(-2, rows).index_select(-1, columns)


def next_multiple(size: int, step: int) -> int:
    """The least multiple of `step` that is no less than `size`, written so that exporters see that it is one."""
    return (size + step - 1) // step * step


def _reflected(size: int, multiple: int, device: torch.device) -> Tensor:
    """The places in a line of `size` pixels that its continuation shows."""
    padded = next_multiple(size, multiple)
    # There and back again; `1 // size` is 1 for a single pixel alone, which is repeated, and no branch for exporters.
    period = 2 * (size - 1) + 1 // size
    places = torch.arange(padded, device=device) % period
    return torch.minimum(places, period - places)
