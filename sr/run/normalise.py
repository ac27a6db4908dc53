"""The normalisation of a run: as plain numbers, and that of the weights it starts from where it names none."""

import logging
from collections.abc import Mapping
from typing import Any

from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig, OmegaConf

from sr.ops.normalisation import KEY, normalisation
from sr.run.wandb_artifacts import is_artifact
from sr.run.warm_start import named
from sr.weights.checkpoint import read_checkpoint

log = logging.getLogger(__name__)


def settle_normalise(cfg: DictConfig, *, saved: Mapping[str, Any] | None) -> None:
    """Replace `data.normalise` by its numbers, so that checkpoints hold these and no path.

    Where it is null, a resumed run goes on with its own, and a run that starts from a checkpoint with that of the
    checkpoint. An artifact is not looked into here: `warm_start` warns where it differs.

    Args:
        cfg: the composed configuration.
        saved: the configuration of the run that is resumed; None for a new run.

    Raises:
        ValueError, FileNotFoundError: see `sr.ops.normalisation.normalisation`.
    """
    if "normalise" not in cfg.data:  # a data set of the user's
        return
    given: Any = cfg.data.normalise
    given = OmegaConf.to_container(given, resolve=True) if OmegaConf.is_config(given) else given
    source = ""
    if given is None and saved is not None:
        given, source = (saved.get("data") or {}).get("normalise"), "the run that is resumed"
    elif given is None and cfg.init_from and not is_artifact(cfg.init_from):
        with named("init_from"):
            given, source = read_checkpoint(cfg.init_from).normalise, f"init_from={cfg.init_from}"
    content = normalisation(given).content
    if content is not None and source:
        rank_zero_only(log.info)("%s=%s is that of %s", KEY, dict(content), source)
    cfg.data.normalise = content
