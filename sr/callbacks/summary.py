"""The best values of a run, where loggers have a place for them."""

from math import isnan
from typing import Any

import lightning as L
from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from sr.callbacks.sr_module import sr_module
from sr.metrics.quantity import NEITHER


class BestValues(L.Callback):
    """Writes the best validation of each metric into the summary of a W&B run, whichever direction is better.

    `best/<metric>` is the value and `best/<metric>_iteration` where it was reached. W&B itself keeps the last value as
    `val/<metric>`, and bicubic's as `val/bicubic_<metric>`. A metric of which neither direction is better is left out.
    """

    def __init__(self) -> None:
        self._best: dict[str, float] = {}

    @rank_zero_only
    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        for name, quantity in sr_module(pl_module).metric.quantities.items():
            value = float(trainer.callback_metrics[f"val/{name}"])
            key = f"best/{name}"
            first = key not in self._best
            if isnan(value) or quantity.better == NEITHER:
                continue
            if first or quantity.gain(value, over=self._best[key]) > 0:
                self._best |= {key: value, f"{key}_iteration": trainer.global_step}
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.experiment.summary.update(self._best)

    def state_dict(self) -> dict[str, Any]:
        return {"best": dict(self._best)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._best = dict(state_dict["best"])
