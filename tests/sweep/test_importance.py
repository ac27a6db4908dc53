"""Optuna's importance, for a search where one parameter decides."""

from pathlib import Path

import optuna
import pytest

from sr.sweep.importance import importance, importance_text
from sr.sweep.pareto import Objective

PSNR, ADVERSARIAL = Objective("val/psnr_y"), Objective("train/adversarial", "minimize")


def search(folder: Path, *, trials: int) -> None:
    """psnr depends on x alone and adversarial on y alone."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name="search",
        storage=f"sqlite:///{folder}/study.db",
        directions=["maximize", "minimize"],
        sampler=optuna.samplers.RandomSampler(seed=0),
    )
    study.optimize(
        lambda trial: (-((trial.suggest_float("x", 0, 1) - 0.9) ** 2), trial.suggest_float("y", 0, 1)),
        n_trials=trials,
    )


def test_each_objective_has_the_parameter_that_decides(tmp_path: Path) -> None:
    search(tmp_path, trials=40)
    found = importance(tmp_path, study_name="search", objectives=[PSNR, ADVERSARIAL])
    assert list(found) == ["val/psnr_y", "train/adversarial"]
    assert found["val/psnr_y"]["x"] > 0.8
    assert found["train/adversarial"]["y"] > 0.8
    assert all(sum(of.values()) == pytest.approx(1) for of in found.values())
    lines = importance_text(found).splitlines()
    assert lines[0].split() == ["importance", "for", "val/psnr_y", "train/adversarial"]
    assert lines[1].split() == [
        "x",
        f"{found['val/psnr_y']['x']:.2f}",
        f"{found['train/adversarial']['x']:.2f}",
    ]


def test_few_trials_and_a_grid_have_none(tmp_path: Path) -> None:
    assert importance(tmp_path, study_name="search", objectives=[PSNR]) == {}
    search(tmp_path, trials=9)
    assert importance(tmp_path, study_name="search", objectives=[PSNR, ADVERSARIAL]) == {}
    assert importance_text({}) == ""
