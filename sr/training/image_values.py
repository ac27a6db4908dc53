"""The values of validation images, gathered from all processes."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


class ImageValues:
    """Rows of values, one for each image."""

    def __init__(self) -> None:
        self._rows: list[Tensor] = []

    def add(self, index: Tensor, values: Sequence[Tensor]) -> None:
        """Add the values of N images: their indices (N,) in the set, and each kind of value (N,)."""
        self._rows.append(torch.stack([index.to(values[0]), *values], dim=1))

    def take(self, gather: Callable[[Tensor], Tensor]) -> Tensor:
        """All rows (images, values) on the CPU in the order of the set; `gather` is Lightning's `all_gather`."""
        gathered = gather(torch.cat(self._rows))
        self._rows.clear()
        # So that all processes have equally many images, the sampler repeats some; the dict keeps each once.
        rows = {int(row[0]): row[1:] for row in gathered.reshape(-1, gathered.shape[-1]).cpu()}
        return torch.stack([rows[index] for index in sorted(rows)])
