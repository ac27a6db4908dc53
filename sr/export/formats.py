"""The definition of an export format, and the names of all formats.

A format is imported when it is asked for, so that a command line can name them all at once.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from sr.weights.generator import TrainedGenerator

FORMATS = {
    "safetensors": "sr.export.state_dict.Safetensors",
    "pth": "sr.export.state_dict.Pth",
    "onnx": "sr.export.onnx_graph.Onnx",
    "torchscript": "sr.export.torchscript.TorchScript",
    "ncnn": "sr.export.ncnn_graph.Ncnn",
    "upscayl": "sr.export.upscayl.Upscayl",
    "openvino": "sr.export.openvino_graph.OpenVino",
    "huggingface": "sr.export.huggingface.HuggingFace",
}
CALIBRATED = ("openvino",)  # the formats that also store int8, by calibration on pictures


class Format(Protocol):
    """One way to store a trained generator.

    Attributes:
        parts: the pieces of one export: the suffixes of its files, of which --out names the first; or, where --out
            names a folder, the names of the files in it.
        tolerance: dtype -> the largest difference that is allowed, on images in [0, 1], between the file that was read
            again and PyTorch with the same weights. Its keys are the types in which the format stores weights; the
            first is the usual one.
        packages: the packages that it needs besides PyTorch.
        extra: the extra of pyproject.toml that has them; empty where it needs none.
    """

    parts: tuple[str, ...]
    tolerance: Mapping[str, float]
    packages: tuple[str, ...]
    extra: str

    def encode(
        self, trained: "TrainedGenerator", card: Mapping[str, str], *, dtype: str = "fp32"
    ) -> dict[str, bytes]:
        """The contents of the files by part, with weights of `sr.export.half.DTYPES`."""

    def load(self, path: Path, *, trust: Sequence[str] = ()) -> "Callable[[Tensor], Tensor]":
        """Load the file at `path` as its users do: (N, channels, H, W) -> (N, channels, H*scale, W*scale).

        `trust` names packages whose nets a file of weights may describe; a file that holds the program needs none.
        """


def is_folder(file_format: Format) -> bool:
    """Whether --out names a folder."""
    return not file_format.parts[0].startswith(".")


def place_of(part: str, out: Path) -> Path:
    """The file of a part of an export that --out names `out`."""
    return out.with_suffix(part) if part.startswith(".") else out / part


def file_format_of(name: str) -> Format:
    """The format of that name in FORMATS."""
    module, _, kind = FORMATS[name].rpartition(".")
    file_format: Format = getattr(import_module(module), kind)()
    return file_format
