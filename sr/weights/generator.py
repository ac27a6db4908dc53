"""From a checkpoint to the generator that it describes, with its weights."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from sr.ops.trusted import import_path, trusted_class
from sr.ops.weight_file import CheckpointError, check_finite
from sr.weights.checkpoint import TRAINING_ONLY, Checkpoint, read_checkpoint
from sr.weights.match import few, fit


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
    # In the type of the net, because a large double is infinite in fp32.
    check_finite(net.state_dict(), path=path)


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
