"""Which artifacts a run started from, where W&B shows it."""

import logging
from collections.abc import Sequence
from itertools import product

import lightning as L
from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from sr.run.wandb_artifacts import artifact_of, is_artifact

log = logging.getLogger(__name__)


class ArtifactLineage(L.Callback):
    """Tells W&B that the run uses the artifacts among `starts`, so that its graph leads from them to this run's own.

    An offline run cannot say so, because W&B looks artifacts up on its server; its configuration names them anyway.

    Args:
        starts: `init_from` and `init_discriminator_from`: files, artifacts, or None.
    """

    def __init__(self, *, starts: Sequence[str | None]) -> None:
        self.artifacts = [artifact_of(start) for start in starts if start and is_artifact(start)]

    @rank_zero_only
    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        runs = [logger.experiment for logger in trainer.loggers if isinstance(logger, WandbLogger)]
        for run, name in product(runs, self.artifacts):
            if run.offline:
                log.warning("W&B is offline, so its graph will not show that this run starts from %s", name)
            else:
                run.use_artifact(name)
