"""Starting from trained weights instead of random ones."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from sr.ops.normalisation import KEY, normalisation
from sr.ops.weight_file import CheckpointError, check_finite
from sr.run.wandb_artifacts import ArtifactError, local_file
from sr.weights.checkpoint import Checkpoint, read_checkpoint
from sr.weights.generator import load_weights
from sr.weights.match import fit
from sr.weights.spandrel_nets import SPANDREL, SpandrelNet, recognise

log = logging.getLogger(__name__)


def warm_start(
    model: Any,
    *,
    init_from: str | None,
    init_discriminator_from: str | None,
    init_strict: bool,
    generator: Mapping[str, Any],
    downloads: Path = Path("artifacts"),
    normalise: Mapping[str, Any] | None = None,
) -> None:
    """Fill the generator, its average and the discriminator from files; None leaves a net as it is.

    Args:
        model: the training module with `generator`, `generator_ema` and perhaps `discriminator`.
        init_from: the file of generator weights, or an artifact (`sr.run.wandb_artifacts`); if it also holds a
            discriminator that fits, that is taken too.
        init_discriminator_from: the file or the artifact of discriminator weights, which is preferred to the one in
            `init_from`.
        init_strict: whether every tensor has to fit. False takes the tensors with the same name and shape, for example
            from a net of another scale, and names those that start at random.
        generator: the configured arguments of the generator.
        downloads: the directory for the files of artifacts.
        normalise: the values that are 0 and 1 for the run (`sr.ops.normalisation`).

    Raises:
        ArtifactError: an artifact cannot be had; the message names the key.
        ValueError: there is no discriminator to fill, or a file does not fit; the message names the key.
        FileNotFoundError: a file does not exist; the message names the key.
    """
    discriminator: nn.Module | None = getattr(model, "discriminator", None)
    if init_discriminator_from and discriminator is None:
        raise ValueError(
            f"init_discriminator_from={init_discriminator_from}: {type(model).__name__} has no discriminator;"
            " model=gan has one"
        )
    if init_from:
        with named("init_from"):
            checkpoint = read_checkpoint(local_file(init_from, downloads))
            weights = _named_as_in(model.generator, checkpoint)
            if isinstance(model.generator, SpandrelNet):  # some of its nets rename what is in the files
                weights = recognise(weights, path=checkpoint.path).state_dict()
            _start(model.generator, weights, checkpoint, strict=init_strict)
        model.generator_ema.load_state_dict(model.generator.state_dict())
        _warn_of_differences(checkpoint, generator, normalise=normalise)
        if discriminator is not None and checkpoint.discriminator and not init_discriminator_from:
            _adopt(discriminator, checkpoint.discriminator, checkpoint, strict=init_strict)
    if init_discriminator_from and discriminator is not None:
        with named("init_discriminator_from"):
            checkpoint = read_checkpoint(local_file(init_discriminator_from, downloads))
            # The reader cannot know the kind of a single net in a file, and calls it the generator.
            weights = checkpoint.discriminator or checkpoint.generator
            _start(discriminator, weights, checkpoint, strict=init_strict)


def _named_as_in(net: nn.Module, checkpoint: Checkpoint) -> Mapping[str, Tensor]:
    """The generator's weights under our names, or under those of the file where more of them fit."""
    named = (checkpoint.generator, checkpoint.stored)
    return max(named, key=lambda weights: len(fit(net, weights).matched))


def _start(net: nn.Module, weights: Mapping[str, Tensor], checkpoint: Checkpoint, *, strict: bool) -> None:
    found = fit(net, weights)
    name = type(net).__name__
    if strict or found.complete:
        _load_all(net, weights, checkpoint, matched=len(found.matched))
        log.info("%s starts from %s", name, checkpoint)
        return
    if not found.matched:
        raise CheckpointError(f"{checkpoint.path}: nothing in it fits the configured {name}: {found}")
    net.load_state_dict({key: weights[key] for key in found.matched}, strict=False)
    check_finite(net.state_dict(), path=checkpoint.path)
    log.warning(
        "%s starts from %s; %d of its %d tensors match, the others start at random: %s",
        *(name, checkpoint, len(found.matched), len(net.state_dict()), found),
    )


def _load_all(net: nn.Module, weights: Mapping[str, Tensor], checkpoint: Checkpoint, *, matched: int) -> None:
    try:
        load_weights(net, weights, path=checkpoint.path)
    except CheckpointError as error:
        if not matched:
            raise
        raise CheckpointError(
            f"{error}; init_strict=false takes the {matched} that match and leaves the others at random"
        ) from error


def _adopt(net: nn.Module, weights: Mapping[str, Tensor], checkpoint: Checkpoint, *, strict: bool) -> None:
    """Take the discriminator of `init_from` if it fits; a generator may also get another adversary."""
    try:
        _start(net, weights, checkpoint, strict=strict)
    except CheckpointError as error:
        log.warning("discriminator starts from scratch: %s", error)


def _warn_of_differences(
    checkpoint: Checkpoint, generator: Mapping[str, Any], *, normalise: Mapping[str, Any] | None
) -> None:
    """Warn of different arguments that the weights do not show, such as a skip, and of another normalisation."""
    ours, theirs = normalisation(normalise).content, normalisation(checkpoint.normalise).content
    if ours != theirs:
        log.warning("%s=%s, but these weights belong to %s", KEY, ours, theirs)
    there = checkpoint.description or {}
    for key, value in generator.items():
        if there.get("_target_") != SPANDREL and key in there and there[key] != value:
            log.warning("generator.%s=%s, but these weights belong to %s", key, value, there[key])


@contextmanager
def named(key: str) -> Iterator[None]:
    """Add the key that named a file to its errors."""
    try:
        yield
    except (ArtifactError, CheckpointError, FileNotFoundError) as error:
        raise type(error)(f"{key}: {error}") from error
