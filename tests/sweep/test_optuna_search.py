"""The study: what is asked, told, pruned and gone on with."""

import sys
from pathlib import Path
from typing import Any

import optuna
import own_metrics
import pytest
from omegaconf import DictConfig, OmegaConf

from sr.metrics.quantity import Quantity
from sr.sweep import job as job_module
from sr.sweep import optuna_search
from sr.sweep.job import read_jobs
from sr.sweep.optuna_search import OptunaSweeper
from sr.sweep.space import split

ONE = ({"metric": "val/psnr_y", "direction": "maximize"},)
RANDOM = DictConfig({"_target_": "optuna.samplers.RandomSampler", "seed": 0})
TWO = (*ONE, {"metric": "train/adversarial", "direction": "minimize"})


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch, program: list[str]) -> None:
    monkeypatch.setattr(optuna_search, "to_start", lambda name: program)
    monkeypatch.setattr(job_module, "POLL", 0.05)


def search(folder: Path, arguments: list[str], **changes: Any) -> optuna.Study:
    settings: dict[str, Any] = {
        "n_trials": 4,
        "objectives": OmegaConf.create(list(ONE)),
        "sampler": RANDOM,
        "pruner": None,
        "study_name": "search",
    }
    settings |= changes
    sweeper = OptunaSweeper(**settings)
    hydra = {"sweep": {"dir": str(folder)}, "overrides": {"task": arguments, "hydra": []}}
    hydra["runtime"] = {"config_sources": []}
    hydra["sweeper"] = {"objectives": settings["objectives"]}
    metric = {"_target_": "own_metrics.Mae", "crop_border": 4, "spaces": ["y"]}
    config = OmegaConf.create(
        {"name": "search", "monitor": "psnr_y", "metric": metric, "logger": {}, "hydra": hydra}
    )
    sweeper.setup(hydra_context=None, task_function=None, config=config)  # type: ignore[arg-type]
    sweeper.sweep(arguments)
    return optuna.load_study(study_name="search", storage=f"sqlite:///{folder}/study.db")


def test_the_study_knows_the_last_values(tmp_path: Path) -> None:
    study = search(tmp_path / "s", ["x=interval(0.0,1.0)", "y=b"])
    assert len(study.trials) == 4
    for trial, job in zip(study.trials, read_jobs(tmp_path / "s"), strict=True):
        assert trial.value == pytest.approx(10 * trial.params["x"])
        assert job.overrides == ("y=b", f"x={trial.params['x']}")
    assert study.best_value == max(10 * trial.params["x"] for trial in study.trials)


def test_the_direction_is_that_of_the_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    falling = {"psnr_y": Quantity(better="lower", digits=".2f")}  # what the program of these tests logs
    monkeypatch.setattr(own_metrics.Mae, "quantities", falling)
    unsaid = OmegaConf.create([{"metric": "val/psnr_y", "direction": None}])
    study = search(tmp_path / "s", ["x=interval(0.0,1.0)"], objectives=unsaid)
    assert study.direction.name == "MINIMIZE"
    assert study.best_value == min(10 * trial.params["x"] for trial in study.trials)
    with pytest.raises(ValueError, match="objective val/mae needs a direction"):
        search(tmp_path / "t", ["x=1,2"], objectives=OmegaConf.create([{"metric": "val/mae"}]))


def test_several_objectives_have_a_front(tmp_path: Path) -> None:
    study = search(tmp_path / "s", ["x=0.1,0.5,0.9"], objectives=OmegaConf.create(list(TWO)))
    assert {trial.params["x"] for trial in study.best_trials} == {trial.params["x"] for trial in study.trials}
    assert all(trial.values[1] == pytest.approx(trial.params["x"] ** 2) for trial in study.trials)


def test_the_same_command_goes_on(tmp_path: Path) -> None:
    arguments = ["x=interval(0.0,1.0)"]
    first = search(tmp_path / "s", arguments, n_trials=2)
    first.ask()  # as a killed process leaves it
    study = search(tmp_path / "s", arguments, n_trials=5)
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert [job.number for job in read_jobs(tmp_path / "s")] == [0, 1, 3, 4]
    assert len({job.overrides for job in read_jobs(tmp_path / "s")}) == 4  # and suggests no job twice


def test_a_failed_job_is_a_failed_trial(tmp_path: Path) -> None:
    study = search(tmp_path / "s", ["x=interval(0.0,1.0)", "status=1"], n_trials=2)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "FAIL"]


def test_what_was_not_logged_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    unknown = OmegaConf.create([{"metric": "val/lpips", "direction": "minimize"}])
    study = search(tmp_path / "s", ["x=interval(0.0,1.0)"], n_trials=1, objectives=unknown)
    assert study.trials[0].state.name == "FAIL"
    assert "job 0 logged no number as val/lpips; it logged val/psnr_y" in caplog.text


def test_a_search_that_is_told_to_stop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        search(tmp_path / "s", ["x=interval(0.0,1.0)", "status=75"])
    assert ended.value.code == 130
    assert "stopped" in capsys.readouterr().out
    study = search(tmp_path / "s", ["x=interval(0.0,1.0)"], n_trials=2)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "COMPLETE"]


def test_another_search_wants_another_directory(tmp_path: Path) -> None:
    search(tmp_path / "s", ["x=1,2"], n_trials=1)
    with pytest.raises(ValueError, match=r"has a study with x=.*: take another hydra\.sweep\.dir"):
        search(tmp_path / "s", ["x=1,2,3"], n_trials=2)
    with pytest.raises(
        ValueError, match=r"is to \['maximize'\], not \['maximize', 'minimize'\]: take another"
    ):
        search(tmp_path / "s", ["x=1,2"], n_trials=2, objectives=OmegaConf.create(list(TWO)))


def test_without_optuna_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ValueError, match=r"needs optuna: pip install 'sr-lightning\[sweep\]'"):
        search(tmp_path, ["x=1,2"])


def test_hopeless_jobs_are_pruned(tmp_path: Path) -> None:
    pruner = DictConfig({"_target_": "optuna.pruners.ThresholdPruner", "lower": 5.0})
    study = search(tmp_path / "s", ["x=choice(-1000,1)"], n_trials=4, pruner=pruner)
    for trial in study.trials:
        assert trial.state.name == ("PRUNED" if trial.params["x"] == -1000 else "COMPLETE")
    assert {trial.state.name for trial in study.trials} == {"PRUNED", "COMPLETE"}
    assert {job.status for job in read_jobs(tmp_path / "s")} == {"pruned", "done"}


def test_pruning_is_for_one_objective() -> None:
    with pytest.raises(ValueError, match=r"hydra\.sweeper\.pruner: Optuna prunes for one objective only"):
        OptunaSweeper(
            n_trials=1,
            objectives=OmegaConf.create(list(TWO)),
            sampler=RANDOM,
            pruner=DictConfig({"_target_": "optuna.pruners.MedianPruner"}),
            study_name="s",
        )


def test_the_search_space_in_hydra_s_words() -> None:
    arguments = [
        "experiment=quickstart",
        "optimizer_g.lr=tag(log,interval(1e-4,1e-2))",
        "a=interval(1,5)",
        "b=range(2,9,2)",
        "c=x,y",
        "d=choice(true,3)",
        "e=range(0.0,1.0,0.25)",
        "f=int(interval(1,5))",
        "g=range(10,0,-3)",
        "h='x y',[0.9,0.99],{k:1}",
    ]
    fixed, space = split(arguments)
    assert fixed == ["experiment=quickstart"]
    distributions = optuna.distributions
    assert space == {
        "optimizer_g.lr": distributions.FloatDistribution(1e-4, 1e-2, log=True),
        "a": distributions.FloatDistribution(1.0, 5.0),
        "b": distributions.IntDistribution(2, 8, step=2),
        "c": distributions.CategoricalDistribution(["x", "y"]),
        "d": distributions.CategoricalDistribution([True, 3]),
        "e": distributions.FloatDistribution(0.0, 0.75, step=0.25),
        "f": distributions.IntDistribution(1, 5),
        "g": distributions.IntDistribution(1, 10, step=3),
        "h": distributions.CategoricalDistribution(["'x y'", "[0.9,0.99]", "{k:1}"]),
    }
    with pytest.raises(ValueError, match="nothing to search: give a key several values"):
        split(["experiment=quickstart"])


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("a=tag(log,range(1,9))", r"a=tag\(log,range\(1,9\)\): tag log: choose from log, of an interval"),
        ("a=tag(lgo,interval(1,9))", "tag lgo: choose from log, of an interval"),
        ("a=range(3,3)", "the range is empty"),
        ("a=glob(*)", "write the choices out"),
        ("a=tag(log,interval(0,1))", "`low > 0` must hold"),
    ],
)
def test_what_cannot_be_searched_is_named(argument: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        split([argument])
