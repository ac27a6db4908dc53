"""What Hydra and OmegaConf say of a configuration, with the key, the choices and what to type."""

import re
from collections.abc import Iterator
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from hydra.errors import HydraException, InstantiationException, MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    InterpolationKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)

from sr.cli.argument_types import parameters_of
from sr.cli.errors import text_of
from sr.cli.private_hydra import has_keys, node_of, root_of, value_of
from sr.config import TrainConfig

ROOT_KEYS = {entry.name for entry in fields(TrainConfig)}


def explain_hydra(error: BaseException) -> str | None:
    """The message for a user where the error is of Hydra, OmegaConf or a launcher; None for all others."""
    text = str(error)
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        key = re.search(r"full_key: (\S+)", text)
        place = f" (in the configuration under {_written(key.group(1))})" if key else ""
        return f"{_missing_module(error.__cause__) or text_of(error.__cause__)}{place}"
    if isinstance(error, HydraException | OmegaConfBaseException):
        return explain_composition(error)
    if isinstance(error, RuntimeError) and text.startswith('Could not detect "srun"'):
        return (
            "hydra/launcher=slurm: this machine has no SLURM (srun is not installed); start it on a cluster"
        )
    if isinstance(error, ValueError) and text.startswith("Only one of --run, --multirun"):
        return text  # about Hydra's own options
    return None


def _missing_module(error: BaseException) -> str | None:
    """The message where the module of a `_target_`, or one that it imports, is not here."""
    missing = re.search(
        r"Error loading '([\w.]+)':\nModuleNotFoundError\(\"No module named '(\w+)'\"\)", str(error)
    )
    if missing is None:
        return None
    return (
        f"{missing[1]} needs the module {missing[2]}, which is not here: install its package, or put its folder into"
        " PYTHONPATH"
    )


def _written(key: str) -> str:
    """The key under which a user writes a node: `model` and `data` hold copies of those of other groups."""
    inner = key.partition(".")[2]
    copied = key.startswith(("model.", "data.")) and inner.partition(".")[0] in ROOT_KEYS
    return inner if copied else key


def explain_composition(error: HydraException | OmegaConfBaseException) -> str:
    """The message for a user: ours, or that of the libraries where it says enough."""
    text, cause = str(error), error.__cause__
    if isinstance(error, MissingConfigException) and error.options and error.missing_cfg_file:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        return f"{group}={choice}: choose from {', '.join(each for each in error.options if each[0] != '_')}"
    if twice := re.search(r"Multiple values for (\S+)\. .* '\S+ \S+: (\S+)'", text):
        return f"{twice[1]} is there already: write {twice[1]}={twice[2]}, without the +"
    if there := re.search(r"Either remove \+ prefix: '(.*)'", text):
        return f"+{there[1]}: the key is there already: write {there[1]}, without the +"
    added = re.search(r"append to your config use (\+.*)", text)
    if added and isinstance(cause, ConfigKeyError | ConfigAttributeError):
        return _no_such_key(cause, added[1])
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key} is missing: write {error.full_key}=VALUE"
    if isinstance(error, InterpolationKeyError):
        wanted = re.search(r"Interpolation key '(.+?)' not found", text)
        if wanted and wanted[1].partition(".")[0] in ROOT_KEYS:
            return (
                f"{error.full_key} follows {wanted[1]}, which this configuration does not have: give"
                f" {error.full_key} a value, or choose another option"
            )
        return f"{error.full_key}: {_first_line(error)}; where ${{ is meant as it stands, write \\${{"
    if of_resolver := re.match(r"ValueError raised while resolving interpolation: (.*)", text):
        return of_resolver[1]
    if isinstance(cause, ValidationError):
        return f"{cause.full_key}: {_first_line(cause)}"
    return _all_messages(error)


def _no_such_key(error: OmegaConfBaseException, added: str) -> str:
    """The message for a key that is not in the configuration.

    Args:
        error: the error of OmegaConf.
        added: the override with a + before it.
    """
    parent, key, full_key = error.parent_node, str(error.key), str(error.full_key)
    siblings = [str(each) for each in parent if each != "hydra"] if isinstance(parent, DictConfig) else []
    if "_target_" in siblings and key in parameters_of(value_of(node_of(parent, "_target_")))[1]:
        return f"{full_key} is an argument that the configuration does not have yet: write {added}"
    prefix = full_key.removesuffix(key)
    near = [f"{prefix}{each}" for each in get_close_matches(key, siblings)]
    if isinstance(parent, DictConfig):
        near += [each for each in _dotted(root_of(parent)) if each.rpartition(".")[2] == key]
    if near:
        return f"there is no key {full_key}: did you mean {' or '.join(dict.fromkeys(near))}?"
    choices = [f"{prefix}{each}" for each in siblings if each[0] != "_"]
    return f"there is no key {full_key}: choose from {', '.join(choices)}"


def _dotted(node: Any, prefix: str = "") -> Iterator[str]:
    """Every key that is written in the configuration, without the copies that interpolations make."""
    for key in node:
        inner = node_of(node, key)
        yield f"{prefix}{key}"
        if has_keys(inner):
            yield from _dotted(inner, f"{prefix}{key}.")


def _first_line(error: BaseException) -> str:
    """The first line of a message; OmegaConf writes about its own types in the others."""
    return str(error).splitlines()[0]


def _all_messages(error: BaseException | None) -> str:
    """The lines of the messages of an error and its causes, each line once."""
    causes = []
    while error is not None:
        causes.append(str(error))
        error = error.__cause__
    return "\n".join(dict.fromkeys(line for cause in causes for line in cause.splitlines() if line.strip()))
