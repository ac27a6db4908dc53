"""Means of the logged losses over the iterations since the last log."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sr.training.step_values import Scalars


class RunningMean:
    """Sums over the iterations with finite numbers; they stay on the device, so that nothing waits for it."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, Tensor] = {}

    def add(self, values: Scalars, finite: Tensor) -> None:
        """Count an iteration if `finite` is 1.0, and pass over it if it is 0.0."""
        for key, value in values.items():
            counted = torch.where(finite > 0, value.float(), 0.0)
            self._sums[key] = counted + self._sums[key] if key in self._sums else counted
            self._counts[key] = finite + self._counts[key] if key in self._counts else finite.clone()

    def take(self) -> dict[str, Tensor]:
        """The means, NaN where no iteration counted; the sums begin anew."""
        means = {key: value / self._counts[key] for key, value in self._sums.items()}
        self._sums, self._counts = {}, {}
        return means

    def state_dict(self, strategy: Any) -> dict[str, dict[str, Tensor]]:
        """The mean state of all processes, so that each of them can go on with it."""
        return {
            name: {key: strategy.reduce(value.clone(), reduce_op="mean") for key, value in of.items()}
            for name, of in (("sums", self._sums), ("counts", self._counts))
        }

    def load_state_dict(self, state: Mapping[str, Scalars], device: torch.device) -> None:
        self._sums, self._counts = (
            {key: value.to(device) for key, value in state[name].items()} for name in ("sums", "counts")
        )
