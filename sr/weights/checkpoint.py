"""Reading checkpoints: ours, and those of every tool of the ESRGAN family (see `sr.weights.dialects`)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from sr.ops.normalisation import normalisation
from sr.ops.weight_file import CheckpointError, UnsafeFileError, read_weight_file
from sr.weights.describe import describe
from sr.weights.described import HOME, TRAINING_ONLY
from sr.weights.dialects import (
    DISCRIMINATORS,
    GENERATORS,
    RUN,
    UNKNOWN,
    below,
    choose_net,
    strip,
    translate,
)
from sr.weights.match import few

# The outer keys of a file, in the order of preference: averaged weights come first.
WRAPPERS = ("params_ema", "params-ema", "params", "state_dict", "model_state_dict", "model", "net")
# The key under which `sr.export` writes `_target_` and arguments of the net, which the weights alone may not show.
DESCRIPTION_KEY = "sr_generator"
# The key under which it writes `scale` and `channels`, which the arguments of a net may call otherwise.
SIZES_KEY = "sr_sizes"
STATED = (DESCRIPTION_KEY, SIZES_KEY)


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint file.

    Attributes:
        path: the file.
        dialect: the naming scheme of its weights, see `sr.weights.dialects`.
        source: the weights that were taken from it, in words for the log.
        generator: state dict of the generator under our names; the averaged generator where the file has both. A file
            with a single net of unknown kind has that net here.
        stored: the same tensors under their names in the file, without that of the net among several: a net of a user's
            may have names that look like those of a wrapper or of another tool.
        discriminator: state dict of the discriminator, if there is one beside the generator.
        config: the resolved run configuration, if the file is one of ours.
        description: `_target_` and arguments of the generator, as the file states them or as its tensors show.
        scale: the upscaling factor of the generator, where the file states it.
        channels: the number of channels of the generator's input and output, where the file states it.
        normalise: the values that are 0 and 1 for its net, as `sr.ops.normalisation.normalisation` reads them; None for
            the full range of unsigned ones.
        provenance: the origin that a run of ours recorded, see `sr.callbacks.provenance`.
        checksum: the kind of checksum that was verified, see `sr.ops.weight_file`; None where the file has none.
    """

    path: Path
    dialect: str
    source: str
    generator: Mapping[str, Tensor]
    stored: Mapping[str, Tensor]
    discriminator: Mapping[str, Tensor] | None
    config: Mapping[str, Any] | None
    description: Mapping[str, Any] | None
    scale: int | None
    channels: int | None
    normalise: Mapping[str, Any] | None
    provenance: Mapping[str, Any]
    checksum: str | None

    def __str__(self) -> str:
        dialect = "names of no known tool" if self.dialect == UNKNOWN else self.dialect
        warning = "" if self.checksum else " (the file has no checksum: damage cannot be seen)"
        return f"{self.path}: {dialect}, weights: {self.source}{warning}"


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
    second_role, discriminator = choose_net(weights, DISCRIMINATORS)
    if not role:
        chosen = discriminator if second_role else strip(weights)
    dialect, generator = translate(chosen)
    config = content.get("config")
    config = config if isinstance(config, Mapping) else None
    provenance = content.get("provenance")
    description = _describe(path, content, generator)
    sizes = config or content.get(SIZES_KEY)
    sizes = sizes if isinstance(sizes, Mapping) else {}
    return Checkpoint(
        path=path,
        dialect=_dialect(dialect, config=config, description=description),
        source=" / ".join(name for name in (wrapper, role or second_role) if name) or "all of the file",
        generator=generator,
        stored=below(weights, f"{role}.") if role and DESCRIPTION_KEY not in content else weights,
        discriminator=translate(discriminator)[1] or None if role else None,
        config=config,
        description=description,
        scale=sizes.get("scale"),
        channels=sizes.get("channels"),
        normalise=_normalise(path, config, sizes),
        provenance=provenance if isinstance(provenance, Mapping) else {},
        checksum=checksum,
    )


def _normalise(
    path: Path, config: Mapping[str, Any] | None, sizes: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The normalisation as a run's configuration states it, or what sr.export wrote.

    Raises:
        CheckpointError: it is no table of numbers.
    """
    data = (config or {}).get("data")
    found = data.get("normalise") if isinstance(data, Mapping) else sizes.get("normalise")
    if found is None:
        return None
    if not isinstance(found, Mapping):
        raise CheckpointError(
            f"{path}: its normalisation is a {type(found).__name__} and not a table of numbers"
        )
    try:
        normalisation(found, key="normalise")
    except ValueError as error:
        raise CheckpointError(f"{path}: its normalisation cannot be used: {error}") from error
    return found


def _dialect(found: str, *, config: Mapping[str, Any] | None, description: Mapping[str, Any] | None) -> str:
    if config:
        return RUN
    if found == UNKNOWN and description:
        return f"published names of {str(description.get('_target_')).rpartition('.')[2]}"
    return found


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
            ours = str(words.get("_target_")).startswith(f"{HOME}.")
            return {key: value for key, value in words.items() if not ours or key not in TRAINING_ONLY}
    try:
        return describe(generator)
    except (
        ValueError,
        IndexError,
        ArithmeticError,
    ) as error:  # tensors have too few dimensions, or are missing
        raise CheckpointError(f"{path}: {error}") from error


def _load(path: Path) -> tuple[Mapping[str, Any], str | None]:
    """The content of the file, with the description of the net in its metadata, and the checksum that was verified."""
    try:
        found = read_weight_file(path)
    except UnsafeFileError as error:
        raise UnsafeFileError(f"{error}; if you trust the file, convert it to safetensors first") from error
    if not isinstance(found.content, Mapping):
        raise CheckpointError(f"{path}: holds a {type(found.content).__name__}, not a checkpoint")
    words = {key: _words(path, found.metadata[key]) for key in STATED if key in found.metadata}
    return {**found.content, **words}, found.checksum


def _words(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: damaged, its description of the net is not JSON") from error


def _unwrap(content: Mapping[str, Any]) -> tuple[str, dict[str, Tensor]]:
    """The innermost table of tensors: the names that lead to it, and its tensors."""
    for key in WRAPPERS:
        if isinstance(content.get(key), Mapping):
            inner, weights = _unwrap(content[key])
            return f"{key} / {inner}" if inner else key, weights
    weights = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    tables = [key for key, value in content.items() if isinstance(value, Mapping) and key not in STATED]
    if not weights and len(tables) == 1:
        inner, weights = _unwrap(content[tables[0]])
        return f"{tables[0]} / {inner}" if inner else str(tables[0]), weights
    return "", weights
