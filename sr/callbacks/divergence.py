"""What becomes of a run whose losses or gradients are no numbers any more."""

import logging
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch.optim.lr_scheduler import LRScheduler
from tqdm import tqdm

from sr.callbacks.our_module import sr_module
from sr.ops.private_torch import parts_of
from sr.ops.weight_file import read_weight_file
from sr.run.checkpoint_files import newest_intact
from sr.training.base import SRModule

log = logging.getLogger(__name__)

CHOICES = ("stop", "rollback")


class DivergedError(RuntimeError):
    """Bad numbers in too many iterations in a row."""


class Divergence(L.Callback):
    """Reports iterations with bad numbers, which change no weight, and acts on many of them in a row.

    `stop` saves the batch of every process and ends the run; `rollback` goes back to the weights and optimizers of the
    newest checkpoint, with lower learning rates, and on to the next samples; the second time, it stops.

    Args:
        directory: of the batches.
        checkpoints: the directory of the run's checkpoints.
        patience: how many in a row are too many.
        on_divergence: `stop` or `rollback`.
        factor: of the learning rates after going back.
    """

    def __init__(
        self,
        *,
        directory: str,
        checkpoints: str,
        patience: int = 10,
        on_divergence: str = "stop",
        factor: float = 0.5,
    ) -> None:
        if on_divergence not in CHOICES:
            raise ValueError(f"on_divergence={on_divergence}: choose one of {', '.join(CHOICES)}")
        if patience < 1:
            raise ValueError(f"patience={patience} must be 1 or more")
        if not 0 < factor <= 1:
            raise ValueError(f"factor={factor} must be in (0, 1]")
        self.directory = Path(directory)
        self.checkpoints = Path(checkpoints)
        self.patience = patience
        self.on_divergence = on_divergence
        self.factor = factor
        self._went_back = False

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        module = sr_module(pl_module)
        consensus = module.consensus
        if consensus.latest.finite:
            return
        if consensus.bad_in_a_row == 1:
            _warn(f"{self._what_happened(module)}: no weight was changed")
        if consensus.bad_in_a_row < self.patience:
            return
        path = self._checkpoint_to_go_back_to(trainer)
        if path is None:
            self._stop(trainer, module)
        else:
            self._go_back(trainer, module, path)

    def _what_happened(self, module: SRModule) -> str:
        bad = module.consensus.bad
        assert bad is not None
        shown = ", ".join(f"{key}={value.item():.6g}" for key, value in bad.losses.items())
        return (
            f"iteration {bad.iteration}: a loss or gradient is not finite ({bad.where()}; rank"
            f" {module.global_rank} has {shown})"
        )

    def _checkpoint_to_go_back_to(self, trainer: L.Trainer) -> Path | None:
        if self.on_divergence != "rollback" or self._went_back:
            return None
        found = newest_intact(self.checkpoints) if trainer.is_global_zero else None
        path: Path | None = trainer.strategy.broadcast(found)
        return path

    def _stop(self, trainer: L.Trainer, module: SRModule) -> None:
        """Raises DivergedError."""
        bad = module.consensus.bad
        assert bad is not None
        rates = {
            f"learning_rate_{each.name}": optimizer.param_groups[0]["lr"]
            for each, optimizer in zip(module.trained(), trainer.optimizers, strict=True)
        }
        losses = {key: value.item() for key, value in bad.losses.items()}
        path = self.directory / f"iteration-{bad.iteration}-rank-{module.global_rank}.pt"
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save({"iteration": bad.iteration, "terms": losses, **rates, "batch": dict(bad.batch)}, path)
        shown = ", ".join(f"{key}={value:.3g}" for key, value in rates.items())
        message = (
            f"{self._what_happened(module)}, as in the {self.patience} iterations in a row that it ends; {shown}."
            f" The checkpoints are those of iterations before, the batch is in {path}. Try a lower learning rate,"
            " model.optimization.gradient_clip=1, model.optimization.warmup_iterations=1000 or on_divergence=rollback"
        )
        if trainer.world_size > 1:
            # Lightning kills what is left when the first process ends: say it while we can.
            log.error(message)
        raise DivergedError(message)

    def _go_back(self, trainer: L.Trainer, module: SRModule, path: Path) -> None:
        happened = self._what_happened(module)
        saved = read_weight_file(path).content
        module.load_state_dict(saved["state_dict"])
        for optimizer, state in zip(trainer.optimizers, saved["optimizer_states"], strict=True):
            rates = [group["lr"] for group in optimizer.param_groups]
            optimizer.load_state_dict(state)
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * self.factor
                group["initial_lr"] *= self.factor
        for config in trainer.lr_scheduler_configs:
            assert isinstance(config.scheduler, LRScheduler)
            _scale(config.scheduler, self.factor)
        module.consensus.bad_in_a_row = 0
        self._went_back = True
        _warn(
            f"{happened}, as in the {self.patience} iterations in a row that it ends: back to {path} of iteration"
            f" {saved['global_step']}, with {self.factor} of the learning rates; the next time it stops"
        )

    def state_dict(self) -> dict[str, Any]:
        return {"went_back": self._went_back}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._went_back = state_dict["went_back"]


def _scale(scheduler: LRScheduler, factor: float) -> None:
    """A schedule's rates; one of several parts has them in each part."""
    if parts := parts_of(scheduler):
        for part in parts:
            _scale(part, factor)
    else:
        scheduler.base_lrs = [rate * factor for rate in scheduler.base_lrs]


def _warn(message: str) -> None:
    with tqdm.external_write_mode():  # the line goes above the progress bar, not into it
        log.warning(message)
