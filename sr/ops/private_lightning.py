"""Names of Lightning that are not public, in one place: an upgrade that loses one fails in
tests/ops/test_private_lightning.py.

Each is here because there is no public way to do what it does.
"""

from typing import Any

import lightning as L
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher as ScriptLauncher

__all__ = ["ScriptLauncher"]


def begin_loops_anew(trainer: L.Trainer) -> None:
    """Have the loops of a resumed run begin a new epoch, where its checkpoint is from the end of one."""
    for loop in (trainer.fit_loop, trainer.fit_loop.epoch_loop, trainer.fit_loop.epoch_loop.val_loop):
        loop._restarting = False


def validates_now(trainer: L.Trainer) -> bool:
    """Whether a validation follows the iteration that has just ended."""
    fetcher = trainer.fit_loop._data_fetcher
    assert fetcher is not None
    return trainer.fit_loop.epoch_loop._should_check_val_fx(fetcher)


def count_step(optimizer: LightningOptimizer) -> None:
    """Count a step in `global_step` that the optimizer does not take."""
    optimizer._on_before_step()
    optimizer._on_after_step()


def hide_from(logger: TensorBoardLogger, iteration: int) -> None:
    """Hide what TensorBoard's files have of this iteration and those after it; before the first log."""
    logger._kwargs["purge_step"] = iteration


def wandb_settings(logger: WandbLogger) -> dict[str, Any]:
    """The arguments that Lightning will give to `wandb.init`, to be changed before the first log."""
    settings: dict[str, Any] = logger._wandb_init
    return settings


def start_wandb(logger: WandbLogger) -> bool:
    """Open the run of a logger, which would otherwise open it itself and define its own axis for all metrics.

    Returns:
        Whether it was opened. A run that the user has opened is left to Lightning, which takes it, and so is one that
        another process has opened.
    """
    import wandb

    if (
        logger._experiment is not None
        or getattr(logger, "_attach_id", None) is not None
        or wandb.run is not None
    ):
        return False
    mode: dict[str, Any] = {"mode": "offline"} if logger._offline else {}
    logger._experiment = wandb.init(**logger._wandb_init, **mode)
    return True


def end_wandb(logger: WandbLogger, exit_code: int) -> None:
    """End the run of a logger. What is logged afterwards goes on under the same id."""
    run: Any = logger._experiment
    run.finish(exit_code=exit_code)
    logger._wandb_init.update(id=run.id, resume="allow")
    logger._experiment = None
