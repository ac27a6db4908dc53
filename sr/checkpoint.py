"""Reading checkpoints: ours, and those of every tool of the ESRGAN family (see `sr.dialects`)."""

import inspect
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from sr.dialects import DISCRIMINATORS, GENERATORS, RUN, UNKNOWN, choose_net, describe, strip, translate
from sr.fitting import few, fit

# Outside wrappers, in the order of preference: averaged weights first.
WRAPPERS = ("params_ema", "params-ema", "params", "state_dict", "model_state_dict", "model", "net")
# What `sr.export` writes beside the weights: `_target_` and arguments of the net, which the weights alone may not tell.
DESCRIPTION_KEY = "sr_generator"
TRAINING_ONLY = {"memory"}  # arguments of nets that say how they train, not what they are


class CheckpointError(ValueError):
    """A file that is no checkpoint, is truncated, would run code, or does not fit."""


@dataclass(frozen=True)
class Checkpoint:
    """What a file held.

    Attributes:
        path: the file.
        dialect: whose names its weights had, see `sr.dialects`.
        source: which weights of it were taken, for the log.
        generator: state dict of the generator under our names, the averaged one where the file has both. Of a file
            with a single net that nothing tells the kind of, that net.
        discriminator: state dict of the discriminator, if there is one beside the generator.
        config: the resolved run configuration, if the file is one of ours.
        description: `_target_` and arguments of the generator, from the file's own words or read off its tensors.
        provenance: what a run of ours recorded of itself, see `sr.callbacks.config_record`.
    """

    path: Path
    dialect: str
    source: str
    generator: Mapping[str, Tensor]
    discriminator: Mapping[str, Tensor] | None
    config: Mapping[str, Any] | None
    description: Mapping[str, Any] | None
    provenance: Mapping[str, Any]

    def __str__(self) -> str:
        dialect = "names of no known tool" if self.dialect == UNKNOWN else self.dialect
        return f"{self.path}: {dialect}, weights: {self.source}"


@dataclass(frozen=True)
class TrainedGenerator:
    """A generator that is ready to run.

    Attributes:
        net: in evaluation mode, fp32, without gradients; (N, channels, H, W) -> (N, channels, H*scale, W*scale).
        scale: upscaling factor.
        channels: of its input and output.
        description: `_target_` and constructor arguments.
        checkpoint: the file that it comes from.
    """

    net: nn.Module
    scale: int
    channels: int
    description: Mapping[str, Any]
    checkpoint: Checkpoint


def load_generator(path: str | Path) -> TrainedGenerator:
    """The trained net of a file of any dialect.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is no checkpoint, truncated, or no generator that is known.
    """
    return build_generator(read_checkpoint(path))


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a file by `weights_only` loading: a checkpoint can never run code.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is no checkpoint, or truncated.
    """
    path = Path(path).expanduser()
    content = _load(path)
    wrapper, weights = _unwrap(content)
    if not weights:
        raise CheckpointError(f"{path}: no weights in it; its keys are {few(content)}")
    role, chosen = choose_net(weights, GENERATORS)
    judge, discriminator = choose_net(weights, DISCRIMINATORS)
    if not role:
        chosen = discriminator if judge else strip(weights)
    dialect, generator = translate(chosen)
    config = content.get("config")
    config = config if isinstance(config, Mapping) else None
    provenance = content.get("provenance")
    return Checkpoint(
        path=path,
        dialect=RUN if config else dialect,
        source=" / ".join(name for name in (wrapper, role or judge) if name) or "all of the file",
        generator=generator,
        discriminator=translate(discriminator)[1] or None if role else None,
        config=config,
        description=_describe(path, content, generator),
        provenance=provenance if isinstance(provenance, Mapping) else {},
    )


def load_weights(net: nn.Module, weights: Mapping[str, Tensor], *, path: Path) -> None:
    """Fill a net; everything must fit.

    Raises:
        CheckpointError: says what was found and what was expected.
    """
    found = fit(net, weights)
    if not found.complete:
        raise CheckpointError(
            f"{path}: these are not the weights of the configured {type(net).__name__}: {found}"
        )
    net.load_state_dict(weights)


def build_generator(checkpoint: Checkpoint) -> TrainedGenerator:
    """The net that a checkpoint describes, with its weights.

    Raises:
        CheckpointError: nothing says what net it is, or it is something that is no net of `sr.archs`.
    """
    path, description = checkpoint.path, checkpoint.description
    if description is None:
        raise CheckpointError(
            f"{path}: the weights of no generator that is known. Its keys are {few(checkpoint.generator)}; known are"
            " RRDBNet and SRVGGNetCompact under the names of ESRGAN (2018, 2019), Real-ESRGAN and BasicSR, and every"
            " net in a checkpoint of a run (runs/*/checkpoints) or written by sr.export"
        )
    kind = _find_net(str(description.get("_target_")))
    arguments = {key: value for key, value in description.items() if key != "_target_"}
    if kind is None or not all(map(_is_plain, arguments.values())):
        raise CheckpointError(
            f"{path}: its generator is {description.get('_target_')}; built are nets of sr.archs alone"
        )
    try:
        net = kind(**arguments)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: its {kind.__name__} cannot be built: {error}") from error
    load_weights(net, checkpoint.generator, path=path)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as in training: equal last digits
    arguments = _defaults(kind) | arguments
    return TrainedGenerator(
        net=net.eval().requires_grad_(False),
        scale=int(arguments["scale"]),
        channels=int(arguments["in_channels"]),
        description={"_target_": f"{kind.__module__}.{kind.__name__}", **arguments},
        checkpoint=checkpoint,
    )


def _describe(
    path: Path, content: Mapping[str, Any], generator: Mapping[str, Tensor]
) -> Mapping[str, Any] | None:
    """The file's own words first, then what the tensors say."""
    config = content.get("config")
    for words in (
        content.get(DESCRIPTION_KEY),
        config.get("generator") if isinstance(config, Mapping) else None,
    ):
        if isinstance(words, Mapping):
            return {key: value for key, value in words.items() if key not in TRAINING_ONLY}
    try:
        return describe(generator)
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _find_net(target: str) -> type[nn.Module] | None:
    """The generator of that name. A stranger's file could name anything else, and so run code."""
    place, _, name = target.rpartition(".")
    if not re.fullmatch(r"sr\.archs\.\w+", place) or find_spec(place) is None:
        return None
    found = getattr(import_module(place), name, None)
    if not isinstance(found, type) or not issubclass(found, nn.Module) or found.__module__ != place:
        return None
    return found if {"scale", "in_channels"} <= inspect.signature(found).parameters.keys() else None


def _defaults(kind: type[nn.Module]) -> dict[str, Any]:
    """What the constructor takes where nothing is said, so that two descriptions can be compared."""
    parameters = inspect.signature(kind).parameters.values()
    return {
        each.name: each.default
        for each in parameters
        if each.default is not each.empty and each.name not in TRAINING_ONLY
    }


def _is_plain(value: Any) -> bool:
    """A scalar or a list of them: nothing in it that could be built."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return isinstance(value, str | int | float | bool | None)


def _load(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        wrong = "is a folder: name a file" if path.is_dir() else "does not exist"
        raise FileNotFoundError(f"checkpoint {path} {wrong}")
    try:
        if path.suffix == ".safetensors":
            return _load_safetensors(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a file that is refused next
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and safetensors raise whatever the broken bytes lead them to
        # Not torch's own words: they advise to load the file in a way that would run its code.
        code = re.search(r"GLOBAL ([\w.]+) (?:was not|whose)", str(error))
        if code:
            raise CheckpointError(
                f"{path}: refused, since reading it would run code ({code[1]}); where you trust the file, convert it to"
                " safetensors first"
            ) from error
        if "Unsupported operand" in str(error) and _is_pickle(path):
            raise CheckpointError(
                f"{path}: refused unread: a pickle that torch.save has not written could run any code"
            ) from error
        if "TorchScript" in str(error):
            raise CheckpointError(
                f"{path}: a TorchScript program, which holds code; take the weights it was made from"
            ) from error
        raise CheckpointError(f"{path}: no checkpoint, or a truncated one") from error
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}, not a checkpoint")
    return content


def _is_pickle(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1) == b"\x80"  # the opcode of its protocol


def _load_safetensors(path: Path) -> Mapping[str, Any]:
    """Its tensors, and the description of the net where its metadata have one."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
    words = {DESCRIPTION_KEY: json.loads(metadata[DESCRIPTION_KEY])} if DESCRIPTION_KEY in metadata else {}
    return {**load_file(path), **words}


def _unwrap(content: Mapping[str, Any]) -> tuple[str, dict[str, Tensor]]:
    """The innermost table of tensors: the names that lead to it, and its tensors."""
    for key in WRAPPERS:
        if isinstance(content.get(key), Mapping):
            inner, weights = _unwrap(content[key])
            return f"{key} / {inner}" if inner else key, weights
    weights = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    tables = [key for key, value in content.items() if isinstance(value, Mapping) and key != DESCRIPTION_KEY]
    if not weights and len(tables) == 1:
        inner, weights = _unwrap(content[tables[0]])
        return f"{tables[0]} / {inner}" if inner else str(tables[0]), weights
    return "", weights
