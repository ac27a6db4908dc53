"""One progress bar for the whole run."""

import math
import sys
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar
from tqdm import tqdm


class RunProgress(ProgressBar):
    """Shows the iterations done and planned, time left, iterations per second, losses and the monitored metric.

    Lightning's own bars begin anew with every epoch, so they never show when a run will end.
    """

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._bar: tqdm[Any] | None = None

    def disable(self) -> None:
        """Draw nothing: Lightning calls this on every process but the first."""
        self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not self._enabled:
            return
        self._bar = tqdm(
            total=planned_iterations(trainer),
            initial=trainer.global_step,
            desc="training",
            unit="it",
            dynamic_ncols=True,
            file=sys.stdout,
            # A bar written to a file cannot be redrawn in place.
            mininterval=0.2 if sys.stdout.isatty() else 15,
        )

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._bar is not None:
            self._bar.set_postfix(self._shown(trainer, pl_module), refresh=False)
            self._bar.update(trainer.global_step - self._bar.n)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._bar is not None:
            self._bar.set_postfix(self._shown(trainer, pl_module))

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._close()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        self._close()

    def _shown(self, trainer: L.Trainer, pl_module: L.LightningModule) -> dict[str, Any]:
        metrics = self.get_metrics(trainer, pl_module)
        return {name.split("/")[-1]: value for name, value in metrics.items() if name != "v_num"}

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def planned_iterations(trainer: L.Trainer) -> int | None:
    """The number of iterations after which the run ends by itself; None for a run without an end."""
    by_epochs = math.inf
    if trainer.max_epochs is not None and trainer.max_epochs >= 0:
        by_epochs = trainer.max_epochs * trainer.num_training_batches
    by_steps = trainer.max_steps if trainer.max_steps >= 0 else math.inf
    total = min(by_epochs, by_steps)
    return None if math.isinf(total) else int(total)
