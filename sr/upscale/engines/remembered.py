"""The engine that was the fastest for a net on this machine, kept for the next time."""

import hashlib
import importlib.metadata
import json
import platform
from pathlib import Path

import torch

from sr.ops.whole_file import replacing
from sr.weights.generator import TrainedGenerator

PACKAGES = ("torch", "onnxruntime", "onnxruntime-gpu", "openvino")


class Remembered:
    """A file of choices, `{key: title}`. A file that cannot be read is as good as none: the trial is made again.

    Args:
        file: the JSON file.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def get(self, key: str) -> str | None:
        return self._read().get(key)

    def keep(self, key: str, title: str) -> None:
        """Raises OSError where the file cannot be written."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        choices = {**self._read(), key: title}
        with replacing(self.file) as file:
            file.write(json.dumps(choices, indent=1).encode())

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def choice_key(trained: TrainedGenerator, *, device: torch.device, precision: str) -> str:
    """What a choice depends on: the net with its weights, the device, threads, precision and packages."""
    digest = hashlib.sha256()
    for name, tensor in trained.net.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().contiguous().cpu().view(torch.uint8).numpy().tobytes())
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor()
    capability = torch.backends.cpu.get_cpu_capability()
    parts = [
        digest.hexdigest(),
        device.type,
        where,
        capability,
        torch.get_num_threads(),
        precision,
        *_versions(),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _versions() -> list[str]:
    return [f"{package} {_version(package)}" for package in PACKAGES]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
