"""One progress bar for the whole run."""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar
from tqdm import tqdm

from sr.callbacks.sr_module import sr_module
from sr.ops.hardware import used_memory
from sr.training.base import SRModule
from sr.training.trained import stepping_at

NARROWEST = 6  # characters of the bar itself, without what stands on both sides of it
LOSSES = ("loss_g", "loss_d")


class FittingBar(tqdm):  # type: ignore[type-arg]
    """A bar that shows as many fields as the terminal has room for; they are asked for when the bar is redrawn.

    Args:
        fields: the function that gives the fields, the most important one first.
        options: the options of tqdm.
    """

    def __init__(self, fields: Callable[[], Sequence[str]], **options: Any) -> None:
        self._fields = fields
        super().__init__(**options)

    @property
    def format_dict(self) -> Any:
        parts = super().format_dict
        shown: list[str] = []
        for field in self._fields():
            parts["postfix"] = ", ".join([*shown, field])
            sides = tqdm.format_meter(**{**parts, "ncols": None, "bar_format": "{l_bar}{r_bar}"})
            if parts["ncols"] and len(sides) + NARROWEST > parts["ncols"]:
                break
            shown.append(field)
        return {**parts, "postfix": ", ".join(shown)}


class RunProgress(ProgressBar):
    """Shows the phase of the run, iterations, time left, the monitored metric and the losses.

    Where the terminal has room: the generator's learning rate, the share of time spent waiting for data, and memory:
    of a GPU the largest amount that tensors took so far, of a CPU what the process holds now. Lightning's own bars
    begin anew with every epoch, so they never show when a run will end.
    """

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._bar: FittingBar | None = None

    def disable(self) -> None:
        """Draw nothing: Lightning calls this on every process but the first."""
        self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not self._enabled:
            return
        module = sr_module(pl_module)
        self._bar = FittingBar(
            lambda: fields(trainer, module),
            total=planned_iterations(trainer),
            initial=trainer.global_step,
            desc=phase_at(module.phases(), trainer.global_step),
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
            done = trainer.global_step
            self._bar.set_description(phase_at(sr_module(pl_module).phases(), done - 1), refresh=False)
            self._bar.update(done - self._bar.n)

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if self._bar is not None and sys.stdout.isatty():
            self._bar.set_description(f"validation {batch_idx + 1}/{trainer.num_val_batches[dataloader_idx]}")

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._bar is not None:
            last = max(trainer.global_step - 1, 0)
            self._bar.set_description(phase_at(sr_module(pl_module).phases(), last))

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._close()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def fields(trainer: L.Trainer, module: SRModule) -> list[str]:
    """What the bar shows beside iterations and times, the most important first."""
    logged = trainer.callback_metrics
    found = []
    if (monitored := logged.get(f"val/{module.monitor}")) is not None:
        found.append(f"{module.monitor}={module.metric.quantities[module.monitor].text(float(monitored))}")
    found += [f"{name}={float(logged[f'train/{name}']):.3g}" for name in LOSSES if f"train/{name}" in logged]
    generator = stepping_at(max(trainer.global_step - 1, 0), module.trained(), module=module)[0]
    found.append(f"learning_rate={generator.learning_rate():.3g}")
    if (wait := logged.get("train/data_wait")) is not None:
        found.append(f"waiting={100 * float(wait):.0f}%")
    if (used := used_memory(module.device)) is not None:
        found.append(f"memory={used / 2**30:.1f}GiB")
    return found


def phase_at(phases: Mapping[int, str], iteration: int) -> str:
    """The name of the phase that an iteration, counted from 0, is in."""
    return phases[max((begin for begin in phases if begin <= iteration), default=0)]


def planned_iterations(trainer: L.Trainer) -> int | None:
    """The number of iterations after which the run ends by itself; None for a run without an end."""
    by_epochs = math.inf
    if trainer.max_epochs is not None and trainer.max_epochs >= 0:
        by_epochs = trainer.max_epochs * trainer.num_training_batches
    by_steps = trainer.max_steps if trainer.max_steps >= 0 else math.inf
    total = min(by_epochs, by_steps)
    return None if math.isinf(total) else int(total)
