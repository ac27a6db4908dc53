"""Weights under the published Real-ESRGAN names, which are ours: safetensors and .pth."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from sr.export.card import modelspec
from sr.ops.tensor_digest import sealed
from sr.weights.generator import TrainedGenerator, load_generator, stated


class Safetensors:
    """The state dict, with the model card, its ModelSpec part, the description of the net and a digest as metadata."""

    suffixes: tuple[str, ...] = (".safetensors",)
    tolerance = 0.0
    packages: tuple[str, ...] = ()

    def encode(self, trained: TrainedGenerator, card: Mapping[str, str]) -> dict[str, bytes]:
        metadata = {
            **card,
            **modelspec(card),
            **{key: json.dumps(value) for key, value in stated(trained).items()},
        }
        return {".safetensors": sealed(_weights(trained), metadata)}

    def load(self, path: Path, *, trust: Sequence[str] = ()) -> Callable[[Tensor], Tensor]:
        return load_generator(path, trust=trust).net


class Pth:
    """`params_ema`, as in the files of Real-ESRGAN, with the model card and the description of the net."""

    suffixes: tuple[str, ...] = (".pth",)
    tolerance = 0.0
    packages: tuple[str, ...] = ()

    def encode(self, trained: TrainedGenerator, card: Mapping[str, str]) -> dict[str, bytes]:
        content = {
            "params_ema": _weights(trained),
            **stated(trained),
            "model_card": dict(card),
        }
        buffer = io.BytesIO()
        torch.save(content, buffer)
        return {".pth": buffer.getvalue()}

    def load(self, path: Path, *, trust: Sequence[str] = ()) -> Callable[[Tensor], Tensor]:
        return load_generator(path, trust=trust).net


def _weights(trained: TrainedGenerator) -> dict[str, Tensor]:
    # The net computes in channels_last, which no file should prescribe.
    return {name: value.contiguous() for name, value in trained.net.state_dict().items()}
