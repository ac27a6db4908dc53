"""An ncnn net: a .param that lists layers and a .bin of weights, made by the converter pnnx."""

import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sr.export.torchscript import trace
from sr.weights.generator import TrainedGenerator

INPUT, OUTPUT = "data", "output"  # the names in the files of the desktop programs of Real-ESRGAN


class Ncnn:
    """`data` (channels, height, width) float32 -> `output`: a single image, because ncnn has no batches."""

    parts: tuple[str, ...] = (".param", ".bin")
    # In fp16 the converter writes weights below 2^-14 as 0, and rounds once more a convolution that has taken in a
    # batch norm.
    tolerance: Mapping[str, float] = MappingProxyType({"fp32": 1e-4, "fp16": 1e-2})
    packages: tuple[str, ...] = ("ncnn", "pnnx")
    extra: str = "export"

    def encode(
        self, trained: TrainedGenerator, card: Mapping[str, str], *, dtype: str = "fp32"
    ) -> dict[str, bytes]:
        """Convert the net; the format has no room for the card. In fp16 are the weights of convolutions and products.

        Raises:
            ValueError: the net has operations for which ncnn has no layers.
        """
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "net.pt")
            trace(trained, batch=1).save(program)
            _convert(program, channels=trained.channels, fp16=dtype == "fp16")
            layers, weights = Path(folder, "net.ncnn.param"), Path(folder, "net.ncnn.bin")
            _check_layers(layers.read_text(), net=trained.name)
            text = re.sub(r"\bin0\b", INPUT, layers.read_text())
            return {".param": re.sub(r"\bout0\b", OUTPUT, text).encode(), ".bin": weights.read_bytes()}

    def load(self, path: Path, *, trust: Sequence[str] = ()) -> Callable[[Tensor], Tensor]:
        import ncnn

        net = ncnn.Net()
        net.opt.use_vulkan_compute = False
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.num_threads = torch.get_num_threads()
        if net.load_param(str(path)) or net.load_model(str(path.with_suffix(".bin"))):
            raise ValueError(f"{path}: ncnn cannot read it")

        def run(images: Tensor) -> Tensor:
            return torch.stack([_run_one(net, image.numpy()) for image in images])

        return run


def _convert(program: Path, *, channels: int, fp16: bool) -> None:
    import pnnx

    # Two shapes tell the converter that sizes may vary. Its Python wrapper is not used, since it runs a file that it
    # writes.
    command = [pnnx.EXEC_PATH, program.name, f"inputshape=[1,{channels},16,24]f32"]
    command += [f"inputshape2=[1,{channels},20,36]f32", f"fp16={int(fp16)}"]
    result = subprocess.run(command, cwd=program.parent, capture_output=True, text=True, check=False)
    if result.returncode or not program.with_name("net.ncnn.param").exists():
        raise ValueError(f"the converter pnnx failed: {(result.stderr or result.stdout).strip()[-500:]}")


def _check_layers(param: str, *, net: str) -> None:
    """Raises ValueError for operations without a layer in ncnn, which pnnx writes under their PyTorch names."""
    kinds = {line.split()[0] for line in param.splitlines()[2:] if line.strip()}
    foreign = sorted(kind for kind in kinds if "." in kind or "::" in kind)
    if foreign:
        raise ValueError(f"this {net} cannot be an ncnn net, which has no layers for {', '.join(foreign)}")


def _run_one(net: Any, image: np.ndarray) -> Tensor:
    import ncnn

    extractor = net.create_extractor()
    # A copy of ncnn's own, because it crashes where the first layer computes in place on the memory of another.
    extractor.input(INPUT, ncnn.Mat(np.ascontiguousarray(image)).clone())
    _, result = extractor.extract(OUTPUT)
    return torch.from_numpy(np.array(result))
