"""Losses that stay NaN stop a run, or take it back to its last good checkpoint."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from helpers import run_here
from small_runs import SETTINGS, arguments, last, whole

from sr.data.patches import TrainingPatches
from sr.data.sampler import Draw

get = TrainingPatches.__getitem__


@contextmanager
def poison(draws: range) -> Iterator[None]:
    """Samples of these numbers have no finite value."""

    def poisoned(self: TrainingPatches, draw: Draw) -> dict[str, Any]:
        item = get(self, draw)
        if draw.seed[1] in draws:
            item["lr"] = item["lr"] * float("nan")
        return item

    with patch.object(TrainingPatches, "__getitem__", poisoned):
        yield


def test_bad_numbers_in_a_row_stop_a_run_that_says_why(tmp_path: Path, photos: Path) -> None:
    settings = (*SETTINGS, f"data.val_dir={photos}", "callbacks.divergence.patience=2")
    with poison(range(8, 99)):
        done = run_here("train.py", *arguments(tmp_path / "run", *settings))
    assert done.returncode == 1, done.stderr
    assert "iteration 5: a loss or gradient is not finite (here; rank 0 has l1=nan" in done.stdout
    assert "error: iteration 6: a loss or gradient is not finite" in done.stderr
    assert "learning_rate_g=0.00" in done.stderr
    assert last(tmp_path / "run")["global_step"] == 4  # none of those whose numbers were bad
    saved = torch.load(tmp_path / "run" / "diverged" / "iteration-6-rank-0.pt", weights_only=True)
    assert saved["learning_rate_g"] > 0
    assert saved["batch"]["lr"].isnan().all()


def test_rolling_back_once(tmp_path: Path, photos: Path) -> None:
    settings = (*SETTINGS, f"data.val_dir={photos}", "callbacks.divergence.patience=2")
    with poison(range(8, 12)):
        done = run_here("train.py", *arguments(tmp_path / "run", *settings, "on_divergence=rollback"))
    assert done.returncode == 0, done.stderr
    assert "last.ckpt of iteration 4, with 0.5 of the learning rates" in done.stdout
    rates = {group["lr"] for group in last(tmp_path / "run")["optimizer_states"][0]["param_groups"]}
    full = {group["lr"] for group in whole(tmp_path, *settings)["optimizer_states"][0]["param_groups"]}
    assert [2 * rate for rate in rates] == pytest.approx(list(full), rel=1e-3)  # but for eta_min


@pytest.mark.slow
def test_rolling_back_a_schedule_free_optimizer(tmp_path: Path, photos: Path) -> None:
    """Its state and the weights are both those of the checkpoint, so it trains on from there."""
    settings = (*SETTINGS, f"data.val_dir={photos}", "callbacks.divergence.patience=2")
    settings += ("optimizer@optimizer_g=schedule_free", "scheduler@scheduler_g=constant")
    with poison(range(8, 12)):
        done = run_here("train.py", *arguments(tmp_path / "run", *settings, "on_divergence=rollback"))
    assert done.returncode == 0, done.stderr
    assert "last.ckpt of iteration 4, with 0.5 of the learning rates" in done.stdout
    saved = last(tmp_path / "run")
    (group,) = saved["optimizer_states"][0]["param_groups"]
    assert (group["lr"], group["train_mode"]) == (0.5e-3, False)
    assert group["step"] == 4 + saved["global_step"] - 6
    assert all(value.isfinite().all() for value in saved["state_dict"].values())


def test_a_second_time_stops_the_run(tmp_path: Path, photos: Path) -> None:
    settings = (*SETTINGS, f"data.val_dir={photos}", "callbacks.divergence.patience=2")
    with poison(range(8, 99)):
        again = run_here("train.py", *arguments(tmp_path / "run", *settings, "on_divergence=rollback"))
    assert again.returncode == 1
    assert "error: iteration 8: a loss or gradient is not finite" in again.stderr
