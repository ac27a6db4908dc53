"""A TorchScript program: the net and its weights without a line of Python."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from sr.export.quiet import quiet
from sr.weights.generator import TrainedGenerator

CARD_FILE = "model_card.json"  # inside the archive, see `_extra_files` of `torch.jit.load`


class TorchScript:
    """A trace that keeps sizes as values and not as constants, so it is right for every H, W and batch."""

    parts: tuple[str, ...] = (".pt",)
    tolerance: Mapping[str, float] = MappingProxyType({"fp32": 1e-5})
    packages: tuple[str, ...] = ()
    extra: str = ""

    def encode(
        self, trained: TrainedGenerator, card: Mapping[str, str], *, dtype: str = "fp32"
    ) -> dict[str, bytes]:
        buffer = io.BytesIO()
        extra = {CARD_FILE: json.dumps(dict(card), indent=1)}
        program = trace(trained, batch=2)
        with quiet():
            torch.jit.save(program, buffer, _extra_files=extra)
        return {".pt": _without_debug(buffer)}

    def load(self, path: Path, *, trust: Sequence[str] = ()) -> Callable[[Tensor], Tensor]:
        with quiet():
            program: Callable[[Tensor], Tensor] = torch.jit.load(str(path))  # type: ignore[no-untyped-call]
        return program


def trace(trained: TrainedGenerator, *, batch: int) -> torch.jit.ScriptModule:
    """Record the operations of the net on one image; none of our nets branches on the content or the size."""
    example = torch.zeros(batch, trained.channels, 16, 24)
    with quiet():
        program: torch.jit.ScriptModule = torch.jit.trace(  # type: ignore[no-untyped-call]
            trained.net, example, check_trace=False
        )
    return program


def _without_debug(archive: io.BytesIO) -> bytes:
    """Remove the source lines of every operation, whose paths describe the machine that wrote the archive."""
    kept = io.BytesIO()
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(kept, "w") as target:
        for entry in source.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                target.writestr(entry, source.read(entry))
    return kept.getvalue()
