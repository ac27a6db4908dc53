"""What happens to a run whose losses or gradients are not finite any more."""

import logging
from pathlib import Path
from typing import Any, Literal, get_args

import lightning as L
import torch
from torch.optim.lr_scheduler import LRScheduler
from tqdm import tqdm

from sr.callbacks.sr_module import sr_module
from sr.ops.private_torch import parts_of
from sr.ops.weight_file import read_weight_file
from sr.run.checkpoint_files import newest_intact
from sr.training.base import SRModule
from sr.training.trained import learning_rate

log = logging.getLogger(__name__)

Reaction = Literal["stop", "rollback"]


class DivergedError(RuntimeError):
    """Losses or gradients were not finite in too many iterations in a row."""


class Divergence(L.Callback):
    """Reports iterations with bad numbers, which change no weight, and acts on many of them in a row.

    `stop` saves the batch of every process and ends the run. `rollback` loads the weights and optimizers of the newest
    checkpoint, lowers the learning rates, and goes on with the next samples; the second time, it stops.

    Args:
        directory: the directory that the batches are saved in.
        checkpoints: the directory of the run's checkpoints.
        patience: the number of bad iterations in a row that is too many.
        on_divergence: the reaction, `stop` or `rollback`.
        factor: the number that the learning rates are multiplied by after a rollback.
    """

    def __init__(
        self,
        *,
        directory: str,
        checkpoints: str,
        patience: int = 10,
        on_divergence: Reaction = "stop",
        factor: float = 0.5,
    ) -> None:
        if on_divergence not in get_args(Reaction):
            raise ValueError(f"on_divergence={on_divergence}: choose one of {', '.join(get_args(Reaction))}")
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
        scales = {f"scale_{net}": scale for net, scale in module.scales.values().items()}  # with fp16 alone
        shown = ", ".join(f"{key}={value.item():.6g}" for key, value in {**bad.losses, **scales}.items())
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
            f"learning_rate_{each.name}": learning_rate(optimizer)
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
            # Lightning kills the other processes when the first one ends, so each writes its message before that.
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
        module.restore_scales(saved["training"])
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
    """Multiply the learning rates of a schedule; one that consists of several has them in each of these."""
    if parts := parts_of(scheduler):
        for part in parts:
            _scale(part, factor)
    else:
        scheduler.base_lrs = [rate * factor for rate in scheduler.base_lrs]


def _warn(message: str) -> None:
    with tqdm.external_write_mode():  # the line goes above the progress bar, not into it
        log.warning(message)
