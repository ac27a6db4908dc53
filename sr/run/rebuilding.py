"""Whether the nets that a run saves can be built again from its checkpoints, and what a user has to type for that."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sr.ops.trusted import NotTrustedError, trusted_packages
from sr.ops.weight_file import CheckpointError
from sr.weights.described import HOME, build_described, find_net, is_ours
from sr.weights.generator import check_scale_and_channels
from sr.weights.match import fit
from sr.weights.spandrel_nets import INSTALL, SPANDREL, recognise

log = logging.getLogger(__name__)


def packages_to_trust(description: Mapping[str, Any]) -> list[str]:
    """The packages that a user has to trust, so that a checkpoint with this generator can be read.

    Args:
        description: `_target_` and arguments of the generator.
    """
    known = trusted_packages(HOME, ())
    targets = (str(node["_target_"]) for node in _nodes(description) if "_target_" in node)
    foreign = (
        name
        for name in targets
        if name != SPANDREL and not any(name.startswith(f"{package}.") for package in known)
    )
    return list(dict.fromkeys(name.partition(".")[0] for name in foreign))


def check_rebuilding(net: nn.Module, description: Mapping[str, Any], *, scale: int, channels: int) -> None:
    """Refuse a generator that trains, but that no program could read from the checkpoints of the run.

    Args:
        net: the generator that Hydra has built.
        description: `_target_` and arguments that it was built from.
        scale: the upscaling factor of the run.
        channels: the number of channels of the run's images.

    Raises:
        ValueError: it cannot be built again, gets other tensors then, or has another scale or number of channels.
    """
    trust = packages_to_trust(description)
    target = description["_target_"]
    if target == SPANDREL:
        recognise(net.state_dict(), path=Path("a checkpoint of this run"))
        return
    try:
        kind = find_net(description, trust=trust)
        if is_ours(kind):
            return
        with torch.random.fork_rng(devices=[]):
            again = build_described(description, trust=trust)
    except NotTrustedError as error:
        raise ValueError(
            f"generator={target} trains, but no program could build it from a checkpoint of this run: {error}. Name a"
            " class of torch.nn.Module with plain arguments"
        ) from error
    except Exception as error:  # whatever the constructor raises
        raise ValueError(
            f"generator={target} trains, but cannot be built from a checkpoint of this run, which holds plain lists and"
            f" tables: {type(error).__name__}: {error}. With _convert_: all in its YAML it gets the same for training"
        ) from error
    found = fit(again, net.state_dict())
    if not found.complete:
        raise ValueError(
            f"generator={target} has other tensors when it is built again, so no checkpoint of this run could be read:"
            f" {found}"
        )
    try:
        check_scale_and_channels(again.eval(), scale=scale, channels=channels, name=f"generator={target}")
    except CheckpointError as error:
        raise ValueError(str(error)) from error


def say_what_to_trust(description: Mapping[str, Any]) -> None:
    """Log, before training, what other programs need to read the checkpoints."""
    if description["_target_"] == SPANDREL:
        log.info("checkpoints of this run are read by spandrel: other machines need %s", INSTALL)
    if packages := packages_to_trust(description):
        log.info(
            "generator %s is not of sr.archs: evaluate.py reads its checkpoints with trust=[%s], sr-upscale and"
            " sr-export with %s",
            description["_target_"],
            ",".join(packages),
            " ".join(f"--trust {package}" for package in packages),
        )


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from _nodes(inner)
