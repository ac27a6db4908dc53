"""Metrics as users write them, outside of the project."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from sr.metrics.measure import Measure
from sr.metrics.protocol import Protocol
from sr.metrics.quantity import Quantity


class Mae:
    """The mean absolute error, of which less is better."""

    smallest = 1
    quantities: Any = {"mae": Quantity(better="lower", digits=".5f")}  # noqa: RUF012

    def __init__(self, *, crop_border: int, spaces: Sequence[str], measures: Any = None) -> None:
        """The arguments that conf/metric has."""

    def __call__(self, sr: Tensor, hr: Tensor) -> dict[str, Tensor]:
        return {"mae": (sr - hr).abs().mean(dim=(1, 2, 3))}


class SilentMae(Mae):
    """Does not say which way it is better."""

    quantities = None


class ForgetfulMae(Mae):
    """Returns what it did not speak of."""

    def __call__(self, sr: Tensor, hr: Tensor) -> dict[str, Tensor]:
        values = super().__call__(sr, hr)
        return {**values, "rmse": values["mae"]}


class ProtocolAndMae(Protocol):
    """The protocol's metrics and one more."""

    @property
    def quantities(self) -> dict[str, Quantity]:
        return {"mae": Mae.quantities["mae"], **super().quantities}

    def __call__(self, sr: Tensor, hr: Tensor) -> dict[str, Tensor]:
        pixels = (self.prepare(sr) - self.prepare(hr)).abs().mean(dim=(1, 2, 3)).float()
        return {"mae": pixels, **super().__call__(sr, hr)}


class ColourError(Measure):
    """A further metric: the mean distance of colours, of which less is better."""

    channels = 3
    quantities: Any = {"colour": Quantity(better="lower", digits=".4f")}  # noqa: RUF012

    def __call__(self, sr: Tensor, hr: Tensor) -> dict[str, Tensor]:
        return {"colour": (sr - hr).square().sum(dim=1).sqrt().mean(dim=(1, 2))}
