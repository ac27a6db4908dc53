"""The normalisation of a run: as plain numbers, and that of the weights it starts from where it names none."""

import logging
from collections.abc import Mapping
from typing import Any

from lightning.pytorch.utilities import rank_zero_only

from sr.ops.normalisation import KEY, normalisation
from sr.run.wandb_artifacts import is_artifact
from sr.run.warm_start import named
from sr.weights.checkpoint import read_checkpoint
from sr.zoo.shipped import weights_path

log = logging.getLogger(__name__)


def settled_normalise(
    given: str | Mapping[str, Any] | None, *, saved: Mapping[str, Any] | None, init_from: str | None
) -> dict[str, list[float]] | None:
    """The numbers of `data.normalise`, so that checkpoints hold these and no path; None for the full range.

    Where it is null, a resumed run goes on with its own, and a run that starts from a checkpoint with that of the
    checkpoint. An artifact is not looked into here: `warm_start` warns where it differs.

    Args:
        given: the value of the configuration.
        saved: the configuration of the run that is resumed; None for a new run.
        init_from: the weights that a new run starts from, if any.

    Raises:
        ValueError, FileNotFoundError: see `sr.ops.normalisation.normalisation`.
    """
    source = ""
    if given is None and saved is not None:
        given, source = (saved.get("data") or {}).get("normalise"), "the run that is resumed"
    elif given is None and init_from and not is_artifact(init_from):
        with named("init_from"):
            given, source = read_checkpoint(weights_path(init_from)).normalise, f"init_from={init_from}"
    content = normalisation(given).content
    if content is None:
        return None
    if source:
        rank_zero_only(log.info)("%s=%s is that of %s", KEY, dict(content), source)
    return dict(content)
