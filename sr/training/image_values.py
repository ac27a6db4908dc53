"""What validation says of each image, gathered from all processes."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


class ImageValues:
    """Rows of values by image, each image once."""

    def __init__(self) -> None:
        self._rows: list[Tensor] = []

    def add(self, index: Tensor, values: Sequence[Tensor]) -> None:
        """The places (N,) of images in their set, and (N,) of each value."""
        self._rows.append(torch.stack([index.to(values[0]), *values], dim=1))

    def take(self, gather: Callable[[Tensor], Tensor]) -> Tensor:
        """(images, values) on the CPU in the order of the set; `gather` is Lightning's `all_gather`."""
        gathered = gather(torch.cat(self._rows))
        self._rows.clear()
        # A sampler over several processes fills up the shorter shares with images that another has too.
        rows = {int(row[0]): row[1:] for row in gathered.reshape(-1, gathered.shape[-1]).cpu()}
        return torch.stack([rows[index] for index in sorted(rows)])
