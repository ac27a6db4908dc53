"""A resumed run is the uninterrupted one, and a changed configuration is noticed. Kills are in tests/faults."""

import os
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import compose_config, same_state, small_gan
from optimizer_options import OPTIONS
from training_runs import rows

from sr.programs.train import train
from sr.run.directory import run_directory
from sr.run.resume import ResumeError, compare, find_saved

EVERY = ("callbacks.checkpoints.every_n_iterations=1", "callbacks.checkpoints.keep_last=20")
BEST = ("callbacks.checkpoints.keep_best=3",)


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(path, weights_only=True)
    return content


@pytest.mark.parametrize(
    "settings",
    [
        ["trainer.max_steps=8"],
        pytest.param(
            ["trainer.max_steps=-1", "scheduler_g.T_max=9", "trainer.max_epochs=3", "data.num_workers=1"],
            marks=pytest.mark.slow,
        ),
        pytest.param(["trainer.max_steps=8", "trainer.val_check_interval=2"], marks=pytest.mark.slow),
        pytest.param(
            ["trainer.max_steps=8", "model=two_stage", "model.first_stage.optimizer_g.lr=3e-3"],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_from_every_checkpoint_the_run_ends_in_the_same_bits(
    tmp_path: Path, photos: Path, settings: list[str]
) -> None:
    """In the middle of an epoch, at its end, at a validation; while D rests and after; metrics.csv too."""
    settings = [*settings, f"data.val_dir={photos}"]
    train(compose_config(*small_gan(tmp_path / "whole"), *settings, *EVERY, *BEST))
    expected = load(tmp_path / "whole" / "checkpoints" / "last.ckpt")
    files = sorted((tmp_path / "whole" / "checkpoints").glob("*.ckpt"))
    iterations = {load(file)["global_step"] for file in files}
    assert len(iterations) >= 6
    for file in files:
        if load(file)["global_step"] == expected["global_step"]:
            continue
        run_dir = tmp_path / file.stem
        run_dir.mkdir()
        shutil.copy(
            tmp_path / "whole" / "metrics.csv", run_dir
        )  # as it was when the run was killed, or later
        train(compose_config(*small_gan(run_dir), *settings, f"resume={file}"))
        found = load(run_dir / "checkpoints" / "last.ckpt")
        assert same_state(found, expected), file.name
        assert (run_dir / "metrics.csv").read_text() == (tmp_path / "whole" / "metrics.csv").read_text()


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=[pytest.mark.slow] * (each != "schedule_free")) for each in OPTIONS]
)
def test_every_optimizer_goes_on_in_the_same_bits(tmp_path: Path, photos: Path, name: str) -> None:
    """G's and D's, from the middle of an epoch. tests/training/test_optimizers.py has all of them without a run."""
    settings = [
        *(f"optimizer@optimizer_{net}={name}" for net in ("g", "d")),
        *(f"scheduler@scheduler_{net}=constant" for net in ("g", "d")),
        *("model.ramp.generator_only=0", "trainer.max_steps=5", f"data.val_dir={photos}"),
    ]
    train(compose_config(*small_gan(tmp_path / "whole"), *settings, *EVERY))
    expected = load(tmp_path / "whole" / "checkpoints" / "last.ckpt")
    (file,) = [
        file
        for file in (tmp_path / "whole" / "checkpoints").glob("last*.ckpt")
        if load(file)["global_step"] == 2
    ]
    train(compose_config(*small_gan(tmp_path / "run"), *settings, f"resume={file}"))
    assert same_state(load(tmp_path / "run" / "checkpoints" / "last.ckpt"), expected)
    assert expected["global_step"] == 5
    assert all(state["state"] for state in expected["optimizer_states"])


def test_what_is_done_to_the_discriminator_goes_on_in_the_same_bits(tmp_path: Path, photos: Path) -> None:
    """The average that pauses are decided by, the count of updates, by which the penalty is lazy, and the rest."""
    settings = [
        *("gan_penalty=r1_r2", "gan_penalty.every=2", "model.feature_matching.weight=0.1"),
        *("model.discriminator_steps.pause_threshold=1", "model.discriminator_steps.pause_average=0.5"),
        *("model.ramp.generator_only=1", "trainer.max_steps=8", f"data.val_dir={photos}"),
    ]
    train(compose_config(*small_gan(tmp_path / "whole"), *settings, *EVERY))
    expected = load(tmp_path / "whole" / "checkpoints" / "last.ckpt")
    assert 1 < expected["training"]["discriminator_steps"]["updates"] < 7  # some, and some pauses
    saved = {
        load(file)["global_step"]: file for file in (tmp_path / "whole" / "checkpoints").glob("last*.ckpt")
    }
    for iteration in (3, 5):
        run_dir = tmp_path / str(iteration)
        run_dir.mkdir()
        shutil.copy(tmp_path / "whole" / "metrics.csv", run_dir)
        train(compose_config(*small_gan(run_dir), *settings, f"resume={saved[iteration]}"))
        assert same_state(load(run_dir / "checkpoints" / "last.ckpt"), expected)
        assert (run_dir / "metrics.csv").read_text() == (tmp_path / "whole" / "metrics.csv").read_text()


def test_fp16_goes_on_in_the_same_bits(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the gradient scales move: at first far too large, and doubling after every second update."""
    monkeypatch.setattr("sr.training.gradient_scale.START", 2.0**20)
    monkeypatch.setattr("sr.training.gradient_scale.INTERVAL", 2)
    settings = ["model.ramp.generator_only=1", "trainer.max_steps=8", "trainer.precision=16-mixed"]
    settings += [f"data.val_dir={photos}", "trainer.log_every_n_steps=1"]
    train(compose_config(*small_gan(tmp_path / "whole"), *settings, *EVERY))
    checkpoints = {
        each["global_step"]: (each, file)
        for file in (tmp_path / "whole" / "checkpoints").glob("last*.ckpt")
        for each in [load(file)]
    }
    expected = checkpoints[8][0]
    train(compose_config(*small_gan(tmp_path / "run"), *settings, f"resume={checkpoints[5][1]}"))
    assert same_state(load(tmp_path / "run" / "checkpoints" / "last.ckpt"), expected)
    logged = {net: rows(tmp_path / "whole", f"train/scale_{net}") for net in "gd"}
    assert logged["g"] != logged["d"]
    steps = {after / before for each in logged.values() for (_, before), (_, after) in pairwise(each)}
    assert steps == {0.5, 1.0, 2.0}
    for net, scales in logged.items():
        assert scales[-1] == (8, float(expected["training"]["scales"][net]["value"]))


def test_mixed_batches_are_mixed_alike_after_a_resume(tmp_path: Path, photos: Path) -> None:
    mixes = {name: f"mixing.{name}.probability=0.25" for name in ("mixup", "cutmix", "resizemix", "cutblur")}
    settings = ["model.ramp.generator_only=0", "trainer.max_steps=8", f"data.val_dir={photos}"]
    settings += [f"mixing=[{','.join(mixes)}]", *mixes.values()]
    train(compose_config(*small_gan(tmp_path / "whole"), *settings, *EVERY))
    files = {
        load(file)["global_step"]: file for file in (tmp_path / "whole" / "checkpoints").glob("last*.ckpt")
    }
    train(compose_config(*small_gan(tmp_path / "run"), *settings, f"resume={files[4]}"))
    assert same_state(load(tmp_path / "run" / "checkpoints" / "last.ckpt"), load(files[8]))


def test_a_finished_run_is_extended(tmp_path: Path, photos: Path) -> None:
    settings = [f"data.val_dir={photos}", "trainer.max_steps=-1", "scheduler_g.T_max=9"]
    train(compose_config(*small_gan(tmp_path / "whole"), *settings, "trainer.max_epochs=3"))
    train(compose_config(*small_gan(tmp_path / "run"), *settings, "trainer.max_epochs=2"))
    train(compose_config(*small_gan(tmp_path / "run"), *settings, "trainer.max_epochs=3", "resume=auto"))
    found, expected = (load(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("run", "whole"))
    assert same_state(found, expected)
    assert found["global_step"] == 9


def test_auto_begins_where_there_is_nothing_yet_and_then_goes_on(
    tmp_path: Path, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = [*small_gan(tmp_path / "run"), f"data.val_dir={photos}", "trainer.max_steps=3", "resume=auto"]
    train(compose_config(*settings))
    assert load(tmp_path / "run" / "checkpoints" / "last.ckpt")["global_step"] == 3
    caplog.set_level("INFO")
    train(compose_config(*settings))  # has nothing left to do
    assert f"resumes {tmp_path}/run/checkpoints/last.ckpt after iteration 3" in caplog.text


def test_a_damaged_newest_checkpoint_costs_no_more_than_it_held(tmp_path: Path, photos: Path) -> None:
    settings = [f"data.val_dir={photos}", "trainer.max_steps=6"]
    train(compose_config(*small_gan(tmp_path / "whole"), *settings))
    shutil.copytree(tmp_path / "whole", tmp_path / "run")
    newest = tmp_path / "run" / "checkpoints" / "last.ckpt"
    newest.write_bytes(newest.read_bytes()[:-100])
    train(compose_config(*small_gan(tmp_path / "run"), *settings, "resume=auto"))
    assert same_state(load(newest), load(tmp_path / "whole" / "checkpoints" / "last.ckpt"))


def test_another_net_or_optimizer_is_refused_by_name(tmp_path: Path, photos: Path) -> None:
    settings = [*small_gan(tmp_path / "run"), f"data.val_dir={photos}", "trainer.max_steps=3"]
    train(compose_config(*settings))
    with pytest.raises(ResumeError, match=r"optimizer_g\.lr: 0\.002 -> 0\.001"):
        train(compose_config(*settings, "resume=auto", "optimizer_g.lr=1e-3"))
    with pytest.raises(ResumeError, match=r"generator\.num_feat: 8 -> 4.*init_from="):
        train(compose_config(*settings, "resume=auto", "generator.num_feat=4"))
    with pytest.raises(ResumeError, match=r"scheduler_g\.T_max: 3 -> 6.*Set them back"):
        train(compose_config(*settings, "resume=auto", "trainer.max_steps=6"))


def saved(tmp_path: Path, config: dict[str, Any]) -> Any:
    torch.save({"training": {}, "loops": {}, "global_step": 7, "config": config}, tmp_path / "x.ckpt")
    return find_saved(str(tmp_path / "x.ckpt"), tmp_path)


def test_other_changes_are_told(tmp_path: Path) -> None:
    model = {
        "content_loss": {"terms": {"l1": {"weight": 1.0}}},
        "generator": {"memory": "lean"},
        "gan_weight": 0.1,
    }
    before = saved(
        tmp_path, {"seed": 0, "run_dir": "a", "loss": {"l1": 1}, "model": model, "data": {"batch_size": 4}}
    )
    assert (before.iteration, before.path) == (7, tmp_path / "x.ckpt")
    model = {"content_loss": {"terms": {"l1": {"weight": 2.0}}}, "generator": {"memory": "plain"}}
    now = {"seed": 1, "run_dir": "b", "loss": {"l1": 2}, "model": model, "data": {"batch_size": 8}}
    written = {"model": {"content_loss": {"terms": "${loss}"}, "generator": "${generator}"}, "seed": 1}
    assert compare(before, now, written=written) == [
        "data.batch_size: 4 -> 8",
        "loss.l1.weight: 1.0 -> 2.0",
        "model.gan_weight: 0.1 -> None",
        "seed: 0 -> 1",
    ]


def test_groups_count_where_they_are_used_and_under_their_own_name(tmp_path: Path) -> None:
    """A group that is copied nowhere has no effect, and a stage of its own is not the group of the same name."""
    critic, other = {"_target_": "my.Critic", "width": 8}, {"_target_": "my.Critic", "width": 9}
    before = saved(
        tmp_path, {"discriminator": {"num_feat": 8}, "critic": critic, "model": {"critic": critic}}
    )
    now = {"discriminator": {"num_feat": 9}, "critic": other, "model": {"critic": other}}
    assert compare(before, now, written={"model": {"critic": "${critic}"}}) == ["critic.width: 8 -> 9"]
    stage = {"first_stage": {"optimizer_g": {"lr": 1}}}
    before = saved(tmp_path, {"model": stage})
    with pytest.raises(ResumeError, match=r"model\.first_stage\.optimizer_g\.lr: 1 -> 2"):
        compare(before, {"model": {"first_stage": {"optimizer_g": {"lr": 2}}}}, written={})


def test_a_run_of_older_code_has_its_numbers_of_optimization_elsewhere(tmp_path: Path) -> None:
    numbers = {"ema_decay": 0.99, "warmup_iterations": 5, "gradient_clip": None, "accumulate": 2}
    before = saved(tmp_path, {"model": {"gan_weight": 0.1, **numbers}})
    optimization = {"_target_": "sr.training.optimization.Optimization", **numbers}
    assert compare(before, {"model": {"gan_weight": 0.1, "optimization": optimization}}, written={}) == []
    now = {"model": {"gan_weight": 0.1, "optimization": optimization | {"accumulate": 1}}}
    assert compare(before, now, written={}) == ["model.optimization.accumulate: 2 -> 1"]
    now = {"model": {"gan_weight": 0.1, "optimization": optimization | {"warmup_iterations": 6}}}
    with pytest.raises(ResumeError, match=r"model\.optimization\.warmup_iterations: 5 -> 6"):
        compare(before, now, written={})


def test_what_cannot_be_resumed_is_said(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"resume=nowhere\.ckpt does not exist: name a checkpoint of a run, or auto"
    ):
        find_saved("nowhere.ckpt", tmp_path)
    torch.save({"params": {"conv_first.weight": torch.zeros(1)}}, tmp_path / "net.pth")
    with pytest.raises(ResumeError, match=r"holds weights but no state of training.*init_from="):
        find_saved(str(tmp_path / "net.pth"), tmp_path)
    (tmp_path / "net.pth").write_bytes(b"PK")
    with pytest.raises(ResumeError, match=r"net\.pth: no checkpoint, or a damaged"):
        find_saved(str(tmp_path / "net.pth"), tmp_path)
    assert find_saved(None, tmp_path) is None
    assert find_saved("auto", tmp_path) is None


def test_where_a_run_lands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("TORCHELASTIC_RUN_ID", "SLURM_JOB_ID", "SLURM_NTASKS"):
        monkeypatch.delenv(variable, raising=False)
    fresh = str(tmp_path / "esrgan" / "now")
    assert run_directory(None, fresh) == fresh
    assert run_directory("auto", fresh) == fresh  # nothing there yet
    assert run_directory("/else/where/net.ckpt", fresh) == fresh
    assert run_directory("/runs/x/checkpoints/last.ckpt", fresh) == "/runs/x"
    for place, name in enumerate(("new", "old", "empty")):
        (tmp_path / "esrgan" / name / "checkpoints").mkdir(parents=True)
        if name != "empty":
            file = tmp_path / "esrgan" / name / "checkpoints" / "last.ckpt"
            file.touch()
            os.utime(file, (1000 - place, 1000 - place))
    assert run_directory("auto", fresh) == str(tmp_path / "esrgan" / "new")
    # Processes of one run agree on its directory, and find it again when they are started again.
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job7")
    assert (
        run_directory(None, fresh)
        == run_directory("auto", fresh)
        == str(tmp_path / "esrgan" / "torchrun-job7")
    )
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    assert run_directory(None, fresh) == fresh
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    monkeypatch.setenv("SLURM_NTASKS", "2")
    assert run_directory(None, fresh) == str(tmp_path / "esrgan" / "slurm-42")
