"""Starting from trained weights instead of random ones."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn

from sr.checkpoint import Checkpoint, CheckpointError, load_weights, read_checkpoint

log = logging.getLogger(__name__)


def warm_start(
    model: Any,
    *,
    init_from: str | None,
    init_discriminator_from: str | None,
    generator: Mapping[str, Any],
) -> None:
    """Fill the generator with its average, and the discriminator; None leaves a net as it is.

    Args:
        model: has `generator`, `generator_ema` and perhaps `discriminator`.
        init_from: file of generator weights; a discriminator that it holds too is taken where it fits.
        init_discriminator_from: file of discriminator weights, which have to fit; preferred to that of `init_from`.
        generator: the configured arguments of the generator.

    Raises:
        ValueError: there is no discriminator to fill, or a file does not fit; names the key.
        FileNotFoundError: names the key.
    """
    discriminator: nn.Module | None = getattr(model, "discriminator", None)
    if init_discriminator_from and discriminator is None:
        raise ValueError(
            f"init_discriminator_from={init_discriminator_from}: {type(model).__name__} has no discriminator;"
            " model=gan has one"
        )
    if init_from:
        with _named("init_from"):
            checkpoint = _start_generator(model, init_from)
        _warn_of_differences(checkpoint, generator)
        if discriminator is not None and not init_discriminator_from:
            _adopt_discriminator(discriminator, checkpoint)
    if init_discriminator_from and discriminator is not None:
        with _named("init_discriminator_from"):
            _start_discriminator(discriminator, init_discriminator_from)


def _start_generator(model: Any, file: str) -> Checkpoint:
    checkpoint = read_checkpoint(file)
    for net in (model.generator, model.generator_ema):
        load_weights(net, checkpoint.generator, path=checkpoint.path)
    log.info("generator starts from %s (%s)", checkpoint.path, checkpoint.source)
    return checkpoint


def _start_discriminator(discriminator: nn.Module, file: str) -> None:
    checkpoint = read_checkpoint(file)
    # Of a file with a single net the reader cannot know which, and calls it the generator.
    load_weights(discriminator, checkpoint.discriminator or checkpoint.generator, path=checkpoint.path)
    log.info("discriminator starts from %s", checkpoint.path)


def _adopt_discriminator(discriminator: nn.Module, checkpoint: Checkpoint) -> None:
    if not checkpoint.discriminator:
        return
    try:
        load_weights(discriminator, checkpoint.discriminator, path=checkpoint.path)
        log.info("discriminator starts from the same file")
    except CheckpointError as error:  # a generator can change its adversary
        log.warning("discriminator starts from scratch: %s", error)


def _warn_of_differences(checkpoint: Checkpoint, generator: Mapping[str, Any]) -> None:
    """Of arguments that the weights do not show, such as a skip."""
    there = checkpoint.config["generator"] if checkpoint.config else {}
    for key, value in generator.items():
        if key in there and there[key] != value:
            log.warning("generator.%s=%s, but these weights were trained with %s", key, value, there[key])


@contextmanager
def _named(key: str) -> Iterator[None]:
    """Errors of a file say which key has named it."""
    try:
        yield
    except (CheckpointError, FileNotFoundError) as error:
        raise type(error)(f"{key}: {error}") from error
