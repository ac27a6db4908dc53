"""Whole sweeps, from the command line to the table."""

import csv
import json
from contextlib import suppress
from pathlib import Path

import optuna
import pytest
import torch
from helpers import ROOT, run_here, run_program, small_gan

from sr.pictures.reading import read_image


def overrides(tmp_path: Path, photos: Path) -> list[str]:
    small = [each for each in small_gan(tmp_path) if not each.startswith("run_dir")]
    return [*small, f"data.val_dir={photos}", "trainer.max_steps=3", f"hydra.sweep.dir={tmp_path}/sweep"]


def table(tmp_path: Path) -> list[dict[str, str]]:
    with (tmp_path / "sweep" / "sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_failed_job_does_not_end_the_sweep(tmp_path: Path, photos: Path) -> None:
    done = run_program(
        "train.py", "-m", *overrides(tmp_path, photos), "optimizer_g.betas=[2.0,0.9],[0.9,0.9]"
    )
    assert done.returncode == 1
    assert "Invalid beta parameter" in done.stderr
    assert "failed: job 0: optimizer_g or scheduler_g: Invalid beta parameter" in done.stderr
    assert [(row["job"], row["status"], bool(row["val/psnr_y"])) for row in table(tmp_path)] == [
        ("0", "failed", False),
        ("1", "done", True),
    ]
    assert "job  optimizer_g.betas" in done.stdout


@pytest.mark.slow
def test_six_jobs_of_which_one_fails_end_with_five_results_a_table_and_a_picture(
    tmp_path: Path, photos: Path
) -> None:
    done = run_program("train.py", "-m", *overrides(tmp_path, photos), "seed=0,1,2,-3,4,5", timeout=400)
    assert done.returncode == 1
    assert "seed=-3 must be 0 or more" in done.stderr
    rows = table(tmp_path)
    assert [row["status"] for row in rows] == ["done", "done", "done", "failed", "done", "done"]
    assert all(25 < float(row["val/psnr_y"]) < 45 for row in rows if row["status"] == "done")
    assert read_image(tmp_path / "sweep" / "sweep.png").std() > 5


@pytest.mark.slow
def test_jobs_of_two_processes_each_land_in_separate_directories(tmp_path: Path, photos: Path) -> None:
    settings = ["gan_loss=relativistic,hinge", "trainer.devices=2"]
    done = run_program("train.py", "-m", *overrides(tmp_path, photos), *settings)
    assert done.returncode == 0, done.stderr
    targets = []
    for job in ("0", "1"):
        content = torch.load(tmp_path / "sweep" / job / "checkpoints" / "last.ckpt", weights_only=True)
        assert content["global_step"] == 3
        targets.append(content["config"]["gan_loss"]["_target_"].rsplit(".", 1)[1])
    assert targets == ["RelativisticAverageGANLoss", "HingeGANLoss"]
    assert not (tmp_path / "sweep" / "2").exists()


@pytest.mark.slow
def test_a_pruned_job_ends_with_all_its_processes(tmp_path: Path, photos: Path) -> None:
    settings = ["hparams_search=optuna", "optimizer_g.lr=tag(log,interval(1e-4,1e-2))", "trainer.devices=2"]
    pruner = "hydra.sweeper.pruner={_target_: optuna.pruners.ThresholdPruner, lower: 90}"
    longer = [*overrides(tmp_path, photos), "trainer.max_steps=100000"]
    done = run_program("train.py", "-m", *longer, *settings, pruner, "hydra.sweeper.n_trials=1")
    assert done.returncode == 0, done.stderr
    job = tmp_path / "sweep" / "0"
    assert json.loads((job / "job.json").read_text())["status"] == "pruned"
    assert torch.load(job / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] < 100000
    commands = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # of a process that ended meanwhile
            commands.append(file.read_bytes())
    assert not [command for command in commands if str(job).encode() in command]


@pytest.mark.slow
def test_a_search_and_going_on_with_it(tmp_path: Path, photos: Path) -> None:
    settings = ["hparams_search=optuna", "optimizer_g.lr=tag(log,interval(1e-4,1e-2))"]
    for trials in (1, 2):
        command = [*overrides(tmp_path, photos), *settings, f"hydra.sweeper.n_trials={trials}"]
        done = run_program("train.py", "-m", *command)
        assert done.returncode == 0, done.stderr
        assert len(table(tmp_path)) == trials
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{tmp_path}/sweep/study.db")
    for trial, row in zip(study.trials, table(tmp_path), strict=True):
        assert float(row["optimizer_g.lr"]) == trial.params["optimizer_g.lr"]
        assert float(row["val/psnr_y"]) == pytest.approx(trial.value, rel=1e-4)


@pytest.mark.slow
def test_the_best_job_by_a_metric_of_the_user_s_own(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    settings = [*overrides(tmp_path, photos), "metric._target_=own_metrics.Mae", "monitor=mae"]
    search = ["hparams_search=optuna", "hydra.sweeper.n_trials=2", "optimizer_g.lr=interval(1e-4,1e-2)"]
    done = run_program("train.py", "-m", *settings, *search)
    assert done.returncode == 0, done.stderr
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{tmp_path}/sweep/study.db")
    values = [float(row["val/mae"]) for row in table(tmp_path)]
    assert study.best_value == pytest.approx(min(values), rel=1e-4)


def test_a_metric_that_does_not_say_which_way_ends_a_sweep_before_its_jobs(
    tmp_path: Path, photos: Path
) -> None:
    settings = [*overrides(tmp_path, photos), "metric._target_=own_metrics.SilentMae", "monitor=mae"]
    done = run_here("train.py", "-m", *settings, "seed=0,1")
    assert done.returncode == 1
    assert "error: metric=own_metrics.SilentMae does not say which way is better" in done.stderr
    assert not (tmp_path / "sweep" / "0" / "job.json").exists()


@pytest.mark.slow
def test_a_job_finds_the_options_of_other_folders(tmp_path: Path, photos: Path) -> None:
    for folder in ("own", "other"):
        (tmp_path / folder / "gan_loss").mkdir(parents=True)
        option = tmp_path / folder / "gan_loss" / f"{folder}_objective.yaml"
        option.write_text("_target_: sr.losses.gan.HingeGANLoss\n")
    settings = [f"hydra.searchpath=[file://{tmp_path}/other]", "gan_loss=own_objective,other_objective"]
    words = ["--config-dir", f"{tmp_path}/own", "-m", *overrides(tmp_path, photos), *settings]
    done = run_program("train.py", *words)
    assert done.returncode == 0, done.stderr
    assert [row["status"] for row in table(tmp_path)] == ["done", "done"]
