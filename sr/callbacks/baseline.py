"""What bicubic reaches on the images of validation: the line that every net has to leave behind."""

from typing import Any

import lightning as L
import torch

from sr.callbacks.sr_module import sr_module
from sr.callbacks.validation_images import bicubic_like
from sr.metrics.mean import set_mean
from sr.metrics.precision import full_precision
from sr.metrics.quantity import measure
from sr.training.image_values import ImageValues


class BicubicBaseline(L.Callback):
    """Logs `val/bicubic_<metric>` beside every `val/<metric>`: the same images, the same metric, MATLAB's bicubic.

    The LR images of all validations are the same, so it is computed in the first one after a start.
    """

    def __init__(self) -> None:
        self._measured = ImageValues()
        self._means: dict[str, float] = {}

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if trainer.sanity_checking or self._means:
            return
        with torch.no_grad(), full_precision(pl_module.device):
            bicubic = bicubic_like(batch["hr"], lr=batch["lr"].float())
        metric = sr_module(pl_module).metric
        values = measure(metric, bicubic, batch["hr"], valid=batch.get("valid"))
        self._measured.add(batch["index"], [*values.values()])

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        if not self._means:
            gather: Any = pl_module.all_gather
            names = sr_module(pl_module).metric.quantities
            means = set_mean(self._measured.take(gather))
            self._means = {name: float(mean) for name, mean in zip(names, means, strict=True)}
        for name, mean in self._means.items():
            pl_module.log(f"val/bicubic_{name}", mean)
