"""From a checkpoint to the generator that it describes, with its weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sr.ops.normalisation import normalisation
from sr.ops.trusted import NotTrustedError
from sr.ops.weight_file import CheckpointError, check_finite
from sr.weights.checkpoint import DESCRIPTION_KEY, SIZES_KEY, Checkpoint, read_checkpoint
from sr.weights.describe import ARCHITECTURES
from sr.weights.described import build_described, check_tables, complete, find_net, is_ours, not_larger_than
from sr.weights.match import few, fit
from sr.weights.spandrel_nets import SPANDREL, SpandrelMissingError, recognise

LARGEST = 512  # scale or channels beyond it are a mistake or an attack
PROBE = (32, 48)  # height and width of the image that a net of another package is tried on


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

    @property
    def normalise(self) -> Mapping[str, Any] | None:
        """What the file states, see `Checkpoint.normalise`."""
        return self.checkpoint.normalise

    @property
    def name(self) -> str:
        """The name of the architecture: that of the class, or that which spandrel gives it."""
        return str(self.description.get("architecture") or type(self.net).__name__)


def stated(trained: TrainedGenerator) -> dict[str, dict[str, Any]]:
    """What a file of weights states about its net beside the tensors, so that the net can be built again."""
    sizes: dict[str, Any] = {"scale": trained.scale, "channels": trained.channels}
    if trained.normalise is not None:
        sizes["normalise"] = normalisation(trained.normalise).content
    return {DESCRIPTION_KEY: dict(trained.description), SIZES_KEY: sizes}


def load_generator(path: str | Path, *, trust: Sequence[str] = ()) -> TrainedGenerator:
    """The trained net of a file of any dialect.

    Args:
        path: the file.
        trust: packages besides `sr.archs` whose nets the file may name.

    Raises:
        FileNotFoundError: the file does not exist.
        CheckpointError: it is not a checkpoint, is truncated, or holds no generator that is known.
    """
    return build_generator(read_checkpoint(path), trust=trust)


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


def build_generator(checkpoint: Checkpoint, *, trust: Sequence[str] = ()) -> TrainedGenerator:
    """The net that a checkpoint describes, with its weights.

    Args:
        checkpoint: the content of a file.
        trust: packages besides `sr.archs` whose nets it may name.

    Raises:
        CheckpointError: the net is unknown, or is not a net of a trusted package.
    """
    path, description = checkpoint.path, checkpoint.description
    if description is None or description.get("_target_") == SPANDREL:
        return _by_spandrel(checkpoint)
    try:
        kind = find_net(description, trust=trust)
        net = _build(kind, description, checkpoint, trust=trust)
    except NotTrustedError as error:
        raise CheckpointError(
            f"{path}: its generator is not built: {error}{_words(error.package)}"
        ) from error
    ours = is_ours(kind)
    load_weights(net, checkpoint.generator if ours else checkpoint.stored, path=path)
    net.eval().requires_grad_(False)
    description = complete(description, kind)
    scale, channels = _sizes(checkpoint, description, ours=ours)
    if not ours:
        check_scale_and_channels(net, scale=scale, channels=channels, name=f"{path}: its {kind.__name__}")
    return TrainedGenerator(
        net=net, scale=scale, channels=channels, description=description, checkpoint=checkpoint
    )


def _by_spandrel(checkpoint: Checkpoint) -> TrainedGenerator:
    """The net as the library spandrel reads it."""
    path = checkpoint.path
    try:
        net = recognise(checkpoint.generator, path=path)
    except (CheckpointError, SpandrelMissingError) as error:
        raise CheckpointError(
            f"{path}: its weights belong to no generator that is known. Its keys are {few(checkpoint.generator)}."
            f" Known are {', '.join(ARCHITECTURES)} under their published names, every net in a checkpoint of a run"
            f" (runs/*/checkpoints) or written by sr.export, and what the library spandrel reads: {error}"
        ) from error
    check_finite(net.state_dict(), path=path)
    return TrainedGenerator(
        net=net.eval().requires_grad_(False),
        scale=net.scale,
        channels=net.channels,
        description={"_target_": SPANDREL, "architecture": net.architecture},
        checkpoint=replace(checkpoint, dialect=f"{net.architecture}, read by spandrel")
        if checkpoint.description is None
        else checkpoint,
    )


def check_scale_and_channels(net: nn.Module, *, scale: int, channels: int, name: str) -> None:
    """Run a net that is not ours on a small image.

    Raises:
        CheckpointError: it does not take so many channels, or does not enlarge by that factor.
    """
    image = torch.zeros(1, channels, *PROBE)
    try:
        with torch.no_grad():
            found = tuple(net(image).shape)
    except Exception as error:  # whatever a net of a user's raises
        raise CheckpointError(
            f"{name} cannot take an image of {PROBE[1]} x {PROBE[0]} with {channels} channel(s):"
            f" {str(error) or type(error).__name__}"
        ) from error
    expected = (1, channels, PROBE[0] * scale, PROBE[1] * scale)
    if found != expected:
        raise CheckpointError(
            f"{name} makes {found} of {tuple(image.shape)}, but with scale={scale} and channels={channels} it should be"
            f" {expected}: its configuration has to pass scale and channels on, under whatever names they have there"
        )


def _sizes(checkpoint: Checkpoint, description: Mapping[str, Any], *, ours: bool) -> tuple[int, int]:
    """Scale and channels: those of the arguments for a net of ours, those that the file states for any other."""
    stated = {"scale": checkpoint.scale, "channels": checkpoint.channels}
    arguments = {"scale": description.get("scale"), "channels": description.get("in_channels")}
    first, second = (arguments, stated) if ours else (stated, arguments)
    found = {key: second[key] if first[key] is None else first[key] for key in first}
    for key, value in found.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
            raise CheckpointError(
                f"{checkpoint.path}: {key}={value} of its {description['_target_']} is not a whole number from 1 to"
                f" {LARGEST}; a checkpoint of a run states it, and so does what sr.export writes"
            )
    return int(found["scale"]), int(found["channels"])  # type: ignore[arg-type]


def _words(package: str | None) -> str:
    """What a user types to trust a package."""
    if package is None:
        return ""
    return (
        f". If you trust the package {package}: trust=[{package}] for evaluate.py, --trust {package} for sr-upscale and"
        " sr-export"
    )


def _build(
    kind: type[nn.Module], description: Mapping[str, Any], checkpoint: Checkpoint, *, trust: Sequence[str]
) -> nn.Module:
    name = str(description.get("_target_")).rpartition(".")[2]
    try:
        with not_larger_than(checkpoint.stored):
            if is_ours(kind):  # first without memory; a net of a user's may not be made for that
                with torch.device("meta"):
                    check_tables(build_described(description, trust=trust), checkpoint.stored)
        with not_larger_than(checkpoint.stored):
            return build_described(description, trust=trust)
    except NotTrustedError:
        raise
    # Sizes that are not sizes, or are beyond any memory, and whatever a net of a user's raises.
    except Exception as error:
        raise CheckpointError(f"{checkpoint.path}: its {name} cannot be built: {error}") from error
