"""What a user gets wrong, and what is said about it before training starts."""

from pathlib import Path

import pytest
from helpers import compose_config, run_here, tiny
from hydra.errors import InstantiationException

from sr.cli.errors import explain
from sr.cli.hydra_errors import explain_hydra
from sr.programs.train import train


def test_typos_in_groups_that_the_model_does_not_use_are_errors(tmp_path: Path) -> None:
    for override, key in (("+discriminator.num_fet=3", "num_fet"), ("+optimizer_d.betass=1", "betass")):
        with pytest.raises(Exception, match=key):
            train(compose_config(*tiny("esrgan_psnr", tmp_path / "run", tmp_path), override))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["optimizer_g.lr=-1"], "optimizer_g or scheduler_g: Invalid learning rate"),
        (["channels=1"], "channels=1 has no luma: add metric=channels"),
        (
            ["data.batch_size=3", "model.optimization.accumulate=2"],
            r"data\.batch_size=3 must be a multiple of model\.optimization\.accumulate=2",
        ),
        (["data.hr_patch_size=36"], r"data\.hr_patch_size=36 does not suit the discriminator"),
        (["seed=-1"], "seed=-1 must be 0 or more"),
        (["scale=0"], "scale=0 must be 1 or more"),
        (["generator.scale=2"], r"generator\.scale=2 is not scale=4: set scale, which all parts follow"),
        (["degradation.scale=2"], r"degradation\.scale=2 is not scale=4: set scale, which all parts follow"),
        (["channels=0"], "channels=0 must be 1 or more"),
        (["cpu_threads=0"], "cpu_threads=0 must be 1 or more"),
        (["trainer.devices=0"], r"trainer\.devices=0 must be 1 or more"),
        (["trainer.max_steps=abc"], r"trainer\.max_steps=abc must be a whole number"),
        (["optimizer_g.lr=abc"], r"optimizer_g\.lr=abc must be a number"),
        (["scheduler@scheduler_g=cosine", "trainer.max_steps=-1"], "T_max=-1: it ends with the run"),
        (["+callbacks.foo.bar=1"], r"callbacks\.foo has no _target_"),
        (
            ["optimizer@optimizer_g=prodigy", "optimizer_g.lr=2e-4"],
            r"optimizer_g or scheduler_g: lr=0\.0002 must be from 0\.1 to 10 for prodigy",
        ),
        (
            ["optimizer@optimizer_d=schedule_free", "scheduler@scheduler_d=multistep"],
            r"scheduler_d=MultiStepLR: ScheduleFreeAdamW .* write scheduler@scheduler_d=constant",
        ),
        (
            ["optimizer@optimizer_d=muon", "+optimizer_d.rules.x={names: [tale.*], lr_factor: 0.1}"],
            r"optimizer_d: rules\.x\.names=tale\.\*: no parameter of the net has such a name; it has conv0\.\*",
        ),
        (["optimizer@optimizer_g=lion", "+optimizer_g.wd=1"], r"optimizer_g\.wd: lion has no such argument"),
        (
            ["trainer.precision=16-true"],
            r"trainer\.precision=16-true: choose one of 32-true, bf16-mixed, 16-mixed",
        ),
    ],
)
def test_what_does_not_fit_together_shows_before_training(
    tmp_path: Path, overrides: list[str], message: str
) -> None:
    arguments = [a for a in tiny("image_enhancement", tmp_path / "run", tmp_path) if "loss." not in a]
    with pytest.raises(ValueError, match=message):
        train(compose_config(*arguments, "loss=l1", *overrides))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["generator.num_block=0"], "num_block=0 must be 1 or more (in the configuration under generator)"),
        (
            ["discriminator.num_feat=-4"],
            "num_feat=-4 must be 1 or more (in the configuration under discriminator)",
        ),
        (["model.gan_weight=-1"], "gan_weight=-1 must be 0 or more"),
        (
            ["model.optimization.warmup_iterations=-1"],
            "model.optimization.warmup_iterations=-1 must be 0 or more",
        ),
        (["data.num_images=0"], "data.num_images=0 must be 1 or more"),
        (["data.val_seed=-1"], "data.val_seed=-1 must be 0 or more"),
        (["callbacks.samples.count=-1"], "count=-1 must be 0 or more"),
        (["scale=1"], "scale=1: this degradation leaves images as they are"),
    ],
)
def test_what_a_constructor_refuses_shows_before_training(
    tmp_path: Path, overrides: list[str], message: str
) -> None:
    arguments = [a for a in tiny("image_enhancement", tmp_path / "run", tmp_path) if "loss." not in a]
    with pytest.raises(InstantiationException) as caught:
        train(compose_config(*arguments, "loss=l1", *overrides))
    assert str(explain(caught.value, explain_hydra)).startswith(message)
    assert not (tmp_path / "run").exists()


def test_errors_of_launchers_and_options_are_one_message() -> None:
    no_srun = RuntimeError('Could not detect "srun", are you indeed on a slurm cluster?')
    no_slurm = explain(no_srun, explain_hydra)
    assert no_slurm is not None
    assert no_slurm.startswith("hydra/launcher=slurm: this machine has no SLURM")
    done = run_here("train.py", "-m", "seed=1,2", "--cfg", "hydra")
    assert done.returncode == 1
    assert done.stderr.startswith("error: Only one of --run, --multirun, --cfg")
    assert "Traceback" not in done.stderr


def test_errors_are_one_message(tmp_path: Path) -> None:
    done = run_here(
        "train.py", "data=folder", f"data.train_dir={tmp_path}", "loss=l1", f"hydra.run.dir={tmp_path}/r"
    )
    assert done.returncode == 1
    assert f"error: image directory {tmp_path} has no image in it" in done.stderr
    assert "Traceback" not in done.stderr
    (tmp_path / "file").touch()
    done = run_here("train.py", f"hydra.run.dir={tmp_path}/file/run")
    assert done.returncode == 1
    assert f"error: {tmp_path}/file/run: Not a directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_file_that_a_worker_finds_is_named(tmp_path: Path, photos: Path) -> None:
    data = (photos / "b.png").read_bytes()
    (photos / "b.png").write_bytes(data[: len(data) // 2])
    arguments = [
        "experiment=esrgan_psnr",
        "generator=srvgg_compact",
        "generator.num_feat=8",
        "generator.num_conv=1",
    ]
    arguments += ["data=folder", f"data.train_dir={photos}", "data.hr_patch_size=32", "data.num_workers=2"]
    done = run_here("train.py", *arguments, "logger=csv", f"hydra.run.dir={tmp_path}/run")
    assert done.returncode == 1
    assert f"error: {photos}/b.png: truncated or damaged (" in done.stderr
    assert "Traceback" not in done.stderr


def test_more_cpu_processes_than_cores_are_refused(tmp_path: Path) -> None:
    cfg = compose_config(*tiny("esrgan_psnr", tmp_path, tmp_path), "trainer.devices=4096")
    with pytest.raises(ValueError, match=r"trainer\.devices=4096: this machine has \d+ CPU core"):
        train(cfg)


def test_optimizer_typos_show_before_training(tmp_path: Path) -> None:
    for override, key in (("+optimizer_g.betass=1", "betass"), ("+scheduler_g.gama=1", "gama")):
        with pytest.raises(ValueError, match=rf"{key}: \w+ has no such argument"):
            train(compose_config(*tiny("esrgan_psnr", tmp_path / "run", tmp_path), override))
    assert not (tmp_path / "run").exists()
