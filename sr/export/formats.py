"""The definition of an export format, and the table of all formats."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from torch import Tensor

from sr.export.ncnn_graph import Ncnn
from sr.export.onnx_graph import Onnx
from sr.export.state_dict import Pth, Safetensors
from sr.export.torchscript import TorchScript
from sr.weights.generator import TrainedGenerator


class Format(Protocol):
    """One way to store a trained generator.

    Attributes:
        suffixes: the suffixes of the files that make up one export; --out names the first.
        tolerance: the largest difference that is allowed, on images in [0, 1], between the file that was read again and
            PyTorch.
        packages: the packages that it needs besides PyTorch.
    """

    suffixes: tuple[str, ...]
    tolerance: float
    packages: tuple[str, ...]

    def encode(self, trained: TrainedGenerator, card: Mapping[str, str]) -> dict[str, bytes]:
        """The contents of the files by suffix."""

    def load(self, path: Path, *, trust: Sequence[str] = ()) -> Callable[[Tensor], Tensor]:
        """Load the file at `path` as its users do: (N, channels, H, W) -> (N, channels, H*scale, W*scale).

        `trust` names packages whose nets a file of weights may describe; a file that holds the program needs none.
        """


FORMATS: dict[str, Format] = {
    "safetensors": Safetensors(),
    "pth": Pth(),
    "onnx": Onnx(),
    "torchscript": TorchScript(),
    "ncnn": Ncnn(),
}
