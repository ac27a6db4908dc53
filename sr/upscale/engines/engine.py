"""What runs a net: an engine, and how one is made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


class EngineError(ValueError):
    """An engine cannot be had here: a package is missing, the device is not its own, or it cannot run the net."""


class Engine(Protocol):
    """(N, C, H, W) float32 on the device of the net -> (N, C, H*scale, W*scale) float32, of any N, H and W.

    Attributes:
        title: its name and its precision, as `openvino, fp32`.
    """

    title: str

    def __call__(self, tiles: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Candidate:
    """An engine that can be tried.

    Attributes:
        name: its name on the command line.
        precision: fp32 or bf16.
        make: makes it, or raises EngineError.
    """

    name: str
    precision: str
    make: Callable[[], Engine]

    @property
    def title(self) -> str:
        return f"{self.name}, {self.precision}"
