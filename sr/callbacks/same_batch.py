"""Training on one batch, to see whether a net can learn at all."""

from typing import Any

import lightning as L


class SameBatch(L.Callback):
    """Puts the first batch of the run in the place of every later one, whatever the data are.

    Lightning's `overfit_batches` would put a sampler of its own in the place of ours, whose samples carry their seeds.
    Several processes keep a batch each. A resumed run goes on with the first batch that comes after the resume.
    """

    def __init__(self) -> None:
        self._first: dict[str, Any] = {}

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: dict[str, Any], batch_idx: int
    ) -> None:
        self._first = self._first or dict(batch)
        batch.clear()  # of keys, too, that the first batch does not have
        batch.update(self._first)
