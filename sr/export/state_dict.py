"""Weights under the published Real-ESRGAN names, which are ours: safetensors and .pth."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from sr.export.card import modelspec
from sr.export.half import DTYPES, as_stored
from sr.ops.tensor_digest import sealed
from sr.weights.generator import TrainedGenerator, load_generator, stated


class Safetensors:
    """The state dict, with the model card, its ModelSpec part, the description of the net and a digest as metadata."""

    parts: tuple[str, ...] = (".safetensors",)
    tolerance: Mapping[str, float] = MappingProxyType(dict.fromkeys(DTYPES, 0.0))
    packages: tuple[str, ...] = ()
    extra: str = ""

    def encode(
        self, trained: TrainedGenerator, card: Mapping[str, str], *, dtype: str = "fp32"
    ) -> dict[str, bytes]:
        metadata = {
            **card,
            **modelspec(card),
            **{key: json.dumps(value) for key, value in stated(trained).items()},
        }
        return {".safetensors": sealed(_weights(trained, dtype), metadata)}

    def load(self, path: Path, *, trust: Sequence[str] = ()) -> Callable[[Tensor], Tensor]:
        return load_generator(path, trust=trust).net


class Pth:
    """`params_ema`, as in the files of Real-ESRGAN, with the model card and the description of the net."""

    parts: tuple[str, ...] = (".pth",)
    tolerance: Mapping[str, float] = MappingProxyType(dict.fromkeys(DTYPES, 0.0))
    packages: tuple[str, ...] = ()
    extra: str = ""

    def encode(
        self, trained: TrainedGenerator, card: Mapping[str, str], *, dtype: str = "fp32"
    ) -> dict[str, bytes]:
        content = {
            "params_ema": _weights(trained, dtype),
            **stated(trained),
            "model_card": dict(card),
        }
        buffer = io.BytesIO()
        torch.save(content, buffer)
        return {".pth": buffer.getvalue()}

    def load(self, path: Path, *, trust: Sequence[str] = ()) -> Callable[[Tensor], Tensor]:
        return load_generator(path, trust=trust).net


def _weights(trained: TrainedGenerator, dtype: str) -> dict[str, Tensor]:
    # The net computes in channels_last, which no file should prescribe.
    weights = as_stored(trained.net.state_dict(), dtype)
    return {name: value.contiguous() for name, value in weights.items()}
