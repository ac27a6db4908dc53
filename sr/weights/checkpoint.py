"""Reading checkpoints: ours, and those of every tool of the ESRGAN family (see `sr.weights.dialects`)."""

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from sr.ops.trusted import import_path, trusted_class
from sr.ops.weight_file import CheckpointError, UnsafeFileError, check_finite, read_weight_file
from sr.weights.dialects import (
    DISCRIMINATORS,
    GENERATORS,
    RUN,
    UNKNOWN,
    choose_net,
    describe,
    strip,
    translate,
)
from sr.weights.match import few, fit

# The outer keys of a file, in the order of preference: averaged weights come first.
WRAPPERS = ("params_ema", "params-ema", "params", "state_dict", "model_state_dict", "model", "net")
# The key under which `sr.export` writes `_target_` and arguments of the net, which the weights alone may not show.
DESCRIPTION_KEY = "sr_generator"
TRAINING_ONLY = {"memory"}  # arguments of nets that change how they train, not what they compute


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint file.

    Attributes:
        path: the file.
        dialect: the naming scheme of its weights, see `sr.weights.dialects`.
        source: the weights that were taken from it, in words for the log.
        generator: state dict of the generator under our names; the averaged generator where the file has both. A file
            with a single net of unknown kind has that net here.
        discriminator: state dict of the discriminator, if there is one beside the generator.
        config: the resolved run configuration, if the file is one of ours.
        description: `_target_` and arguments of the generator, as the file states them or as its tensors show.
        provenance: the origin that a run of ours recorded, see `sr.callbacks.provenance`.
        checksum: the kind of checksum that was verified, see `sr.ops.weight_file`; None where the file has none.
    """

    path: Path
    dialect: str
    source: str
    generator: Mapping[str, Tensor]
    discriminator: Mapping[str, Tensor] | None
    config: Mapping[str, Any] | None
    description: Mapping[str, Any] | None
    provenance: Mapping[str, Any]
    checksum: str | None

    def __str__(self) -> str:
        dialect = "names of no known tool" if self.dialect == UNKNOWN else self.dialect
        warning = "" if self.checksum else " (the file has no checksum: damage cannot be seen)"
        return f"{self.path}: {dialect}, weights: {self.source}{warning}"


@dataclass(frozen=True)
class TrainedGenerator:
    """A generator that is ready to run.

    Attributes:
        net: the generator in evaluation mode, fp32, without gradients; (N, channels, H, W) -> (N, channels, H*scale,
            W*scale).
        scale: upscaling factor.
        channels: the number of channels of its input and output.
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
        FileNotFoundError: the file does not exist.
        CheckpointError: it is not a checkpoint, is truncated, or holds no generator that is known.
    """
    return build_generator(read_checkpoint(path))


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a file, whatever its dialect, by `sr.ops.weight_file`: a checkpoint can never run code.

    Raises:
        FileNotFoundError: the file does not exist.
        CheckpointError: it is not a checkpoint, or is damaged or truncated.
    """
    path = Path(path).expanduser()
    content, checksum = _load(path)
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
        checksum=checksum,
    )


def load_weights(net: nn.Module, weights: Mapping[str, Tensor], *, path: Path) -> None:
    """Fill a net with weights, which must all fit and be finite.

    Raises:
        CheckpointError: a tensor does not fit or is not finite; the message says what was found and what was expected.
    """
    found = fit(net, weights)
    if not found.complete:
        raise CheckpointError(
            f"{path}: these are not the weights of the configured {type(net).__name__}: {found}"
        )
    net.load_state_dict(weights)
    check_finite(
        net.state_dict(), path=path
    )  # in the type of the net, because a large double is infinite in fp32


def build_generator(checkpoint: Checkpoint) -> TrainedGenerator:
    """The net that a checkpoint describes, with its weights.

    Raises:
        CheckpointError: the net is unknown, or is not a net of `sr.archs`.
    """
    path, description = checkpoint.path, checkpoint.description
    if description is None:
        raise CheckpointError(
            f"{path}: its weights belong to no generator that is known. Its keys are {few(checkpoint.generator)}."
            " Known are RRDBNet and SRVGGNetCompact under the names of ESRGAN (2018, 2019), Real-ESRGAN and BasicSR,"
            " and every net in a checkpoint of a run (runs/*/checkpoints) or written by sr.export"
        )
    kind = _find_net(str(description.get("_target_")))
    arguments = {key: value for key, value in description.items() if key != "_target_"}
    if kind is None or not all(map(_is_plain, arguments.values())):
        raise CheckpointError(
            f"{path}: its generator is {description.get('_target_')}; only nets of sr.archs are built"
        )
    net = _build(kind, arguments, checkpoint)
    load_weights(net, checkpoint.generator, path=path)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as in training: equal last digits
    arguments = _defaults(kind) | arguments
    return TrainedGenerator(
        net=net.eval().requires_grad_(False),
        scale=int(arguments["scale"]),
        channels=int(arguments["in_channels"]),
        description={"_target_": import_path(kind), **arguments},
        checkpoint=checkpoint,
    )


def _build(kind: type[nn.Module], arguments: Mapping[str, Any], checkpoint: Checkpoint) -> nn.Module:
    """Build the net, and stop as soon as it is far larger than the file, which may describe a billion layers.

    A parameter is registered before it is filled, so a net that is stopped has not taken any memory.
    """
    weights = checkpoint.generator
    most = 2 * len(weights) + 100, 4 * sum(value.numel() for value in weights.values()) + 2**20
    tensors = values = 0

    def count(module: nn.Module, name: str, parameter: nn.Parameter) -> None:
        nonlocal tensors, values
        tensors, values = tensors + 1, values + parameter.numel()
        if tensors > most[0] or values > most[1]:
            raise ValueError(f"it is several times as large as the file, which has {len(weights)} tensors")

    counting = register_module_parameter_registration_hook(count)
    try:
        return kind(**arguments)
    # Errors of sizes that are not sizes, or beyond any memory.
    except (TypeError, ValueError, RuntimeError, ArithmeticError, MemoryError) as error:
        raise CheckpointError(f"{checkpoint.path}: its {kind.__name__} cannot be built: {error}") from error
    finally:
        counting.remove()


def _describe(
    path: Path, content: Mapping[str, Any], generator: Mapping[str, Tensor]
) -> Mapping[str, Any] | None:
    """The description in the file, or else the one that the tensors show."""
    config = content.get("config")
    for words in (
        content.get(DESCRIPTION_KEY),
        config.get("generator") if isinstance(config, Mapping) else None,
    ):
        if isinstance(words, Mapping):
            return {key: value for key, value in words.items() if key not in TRAINING_ONLY}
    try:
        return describe(generator)
    except (
        ValueError,
        IndexError,
        ArithmeticError,
    ) as error:  # tensors have too few dimensions, or are missing
        raise CheckpointError(f"{path}: {error}") from error


def _find_net(target: str) -> type[nn.Module] | None:
    """The generator class of that import path; None for anything that is no generator of `sr.archs`."""
    found = trusted_class(target, packages=["sr.archs"])
    if found is None or not issubclass(found, nn.Module):
        return None
    return found if {"scale", "in_channels"} <= inspect.signature(found).parameters.keys() else None


def _defaults(kind: type[nn.Module]) -> dict[str, Any]:
    """The default arguments of the constructor, so that two descriptions can be compared."""
    parameters = inspect.signature(kind).parameters.values()
    return {
        each.name: each.default
        for each in parameters
        if each.default is not each.empty and each.name not in TRAINING_ONLY
    }


def _is_plain(value: Any) -> bool:
    """Whether a value is a scalar or a list of scalars, so that nothing in it can be built."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return isinstance(value, str | int | float | bool | None)


def _load(path: Path) -> tuple[Mapping[str, Any], str | None]:
    """The content of the file, with the description of the net in its metadata, and the checksum that was verified."""
    try:
        found = read_weight_file(path)
    except UnsafeFileError as error:
        raise UnsafeFileError(f"{error}; if you trust the file, convert it to safetensors first") from error
    if not isinstance(found.content, Mapping):
        raise CheckpointError(f"{path}: holds a {type(found.content).__name__}, not a checkpoint")
    words = _words(path, found.metadata[DESCRIPTION_KEY]) if DESCRIPTION_KEY in found.metadata else {}
    return {**found.content, **words}, found.checksum


def _words(path: Path, text: str) -> Mapping[str, Any]:
    try:
        return {DESCRIPTION_KEY: json.loads(text)}
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: damaged, its description of the net is not JSON") from error


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
