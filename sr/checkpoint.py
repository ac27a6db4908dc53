"""Reading checkpoints: ours, and plain weight files with the published key names."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
import torch
from hydra.errors import InstantiationException
from safetensors.torch import load_file
from torch import Tensor, nn

# Outside wrappers, in the order of preference: averaged weights first.
WRAPPERS = ("params_ema", "params-ema", "params", "state_dict", "model_state_dict", "model", "net")


class CheckpointError(ValueError):
    """A file that is no checkpoint, is truncated, or does not fit."""


@dataclass(frozen=True)
class Checkpoint:
    """What a file held.

    Attributes:
        path: the file.
        source: which weights of it were taken, for the log.
        generator: state dict of the generator, the averaged one where the file has both.
        discriminator: state dict of the discriminator, if there is one.
        config: the resolved run configuration, if the file is one of ours.
    """

    path: Path
    source: str
    generator: Mapping[str, Tensor]
    discriminator: Mapping[str, Tensor] | None
    config: Mapping[str, Any] | None


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a file by `weights_only` loading: a checkpoint can never run code.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is no checkpoint, or truncated.
    """
    path = Path(path).expanduser()
    content = _load(path)
    state = content.get("state_dict")
    if isinstance(state, Mapping) and any(key.startswith("generator_ema.") for key in state):
        config = content.get("config")
        return Checkpoint(
            path=path,
            source="generator_ema of a training checkpoint",
            generator=_below(state, "generator_ema."),
            discriminator=_below(state, "discriminator.") or None,
            config=config if isinstance(config, Mapping) else None,
        )
    source, weights = _unwrap(content)
    if not weights or not all(isinstance(value, Tensor) for value in weights.values()):
        raise CheckpointError(f"{path}: no weights in it; its keys are {_few(content)}")
    return Checkpoint(path=path, source=source, generator=weights, discriminator=None, config=None)


def load_weights(net: nn.Module, weights: Mapping[str, Tensor], *, path: Path) -> None:
    """Fill a net; everything must fit.

    Raises:
        CheckpointError: says what was found and what was expected.
    """
    expected = net.state_dict()
    missing = [key for key in expected if key not in weights]
    surplus = [key for key in weights if key not in expected]
    shapes = [
        f"{key} is {tuple(weights[key].shape)}, expected {tuple(expected[key].shape)}"
        for key in expected
        if key in weights and weights[key].shape != expected[key].shape
    ]
    if missing or surplus or shapes:
        found = [
            f"missing {_few(missing)}" if missing else "",
            f"not known {_few(surplus)}" if surplus else "",
            "; ".join(shapes[:3]) + ("; ..." if len(shapes) > 3 else ""),
        ]
        raise CheckpointError(
            f"{path}: these are not the weights of the configured {type(net).__name__}: "
            + "; ".join(part for part in found if part)
        )
    net.load_state_dict(weights)


def build_generator(checkpoint: Checkpoint) -> tuple[nn.Module, int, int]:
    """The trained net of one of our checkpoints with its scale and number of channels.

    Raises:
        CheckpointError: the file has no configuration, or asks for something that is no net of `sr.archs`.
    """
    config = checkpoint.config
    if config is None:
        raise CheckpointError(
            f"{checkpoint.path}: plain weights say nothing of their net; take a .ckpt of a run (runs/*/checkpoints)"
        )
    found = config.get("generator")
    description = dict(found) if isinstance(found, Mapping) else {}
    target = str(description.get("_target_"))
    # Hydra would call any importable function that a stranger's file names.
    if not target.startswith("sr.archs.") or not all(map(_is_plain, description.values())):
        raise CheckpointError(
            f"{checkpoint.path}: its generator is {target}; built are nets of sr.archs alone"
        )
    try:
        net: nn.Module = hydra.utils.instantiate(description)
    except InstantiationException as error:
        raise CheckpointError(f"{checkpoint.path}: its {target} cannot be built: {error}") from error
    load_weights(net, checkpoint.generator, path=checkpoint.path)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as in training: equal last digits
    return net.eval().requires_grad_(False), int(config["scale"]), int(config["channels"])


def _is_plain(value: Any) -> bool:
    """A scalar or a list of them: nothing in it that could be built."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return isinstance(value, str | int | float | bool | None)


def _load(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"checkpoint {path} does not exist")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and safetensors raise whatever the broken bytes lead them to
        # Not torch's own words: they advise to load the file in a way that would run its code.
        raise CheckpointError(f"{path}: no checkpoint, or a truncated one") from error
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}, not a checkpoint")
    return content


def _unwrap(content: Mapping[str, Any]) -> tuple[str, Mapping[str, Tensor]]:
    for key in WRAPPERS:
        if isinstance(content.get(key), Mapping):
            return key, content[key]
    return "plain weights", content


def _below(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def _few(keys: Any) -> str:
    shown = list(keys)[:4]
    return ", ".join(map(str, shown)) + (", ..." if len(list(keys)) > 4 else "")
