"""Every private name of Lightning that the project uses still exists; an upgrade that loses one fails here, by the
name."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger
from lightning.pytorch.strategies import launchers

TRAINER = L.Trainer(
    accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False, barebones=False
)
NAMES: list[tuple[Any, str]] = [
    (launchers, "_SubprocessScriptLauncher"),
    (TRAINER.fit_loop, "_restarting"),
    (TRAINER.fit_loop.epoch_loop, "_restarting"),
    (TRAINER.fit_loop.epoch_loop.val_loop, "_restarting"),
    (TRAINER.fit_loop, "_data_fetcher"),
    (TRAINER.fit_loop.epoch_loop, "_should_check_val_fx"),
    *(
        (LightningOptimizer(torch.optim.SGD([torch.zeros(1)])), f"_on_{when}_step")
        for when in ("before", "after")
    ),
]


@pytest.mark.parametrize(
    ("owner", "name"), NAMES, ids=[f"{type(owner).__name__}.{name}" for owner, name in NAMES]
)
def test_it_is_there(owner: Any, name: str) -> None:
    assert hasattr(owner, name)


def test_the_loggers_keep_what_they_hand_on(tmp_path: Path) -> None:
    assert TensorBoardLogger(save_dir=tmp_path, purge_step=7)._kwargs["purge_step"] == 7
    logger = WandbLogger(save_dir=tmp_path, id="abc", offline=True)
    assert logger._wandb_init["id"] == "abc"
    assert logger._offline
    assert logger._experiment is None
