"""Whole runs, from the composed configuration to the files that they leave."""

import shlex
from pathlib import Path

import pytest
import torch
from evaluation_runs import run_evaluation
from helpers import compose_config, experiments, run_program, tiny, write_vgg
from omegaconf import OmegaConf
from training_runs import alive, rows, run, state

from sr.programs.train import degradation_of_validation, metric_of_validation, train, wandb_commands

QUICK = ("esrgan", "esrgan_two_stage", "realesrgan", "swinir_light")  # with `make test`; all others are slow


@pytest.mark.parametrize(
    "experiment",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK))
        for name in experiments()
        if name != "multispectral"  # whose images have four bands: see test_multispectral.py
    ],
)
def test_every_experiment_runs_and_leaves_everything(
    experiment: str, tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = run(experiment, tmp_path, f"data.val_dir={photos}")
    bars = [line for line in capsys.readouterr().out.replace("\r", "\n").splitlines() if "2/2" in line]
    last_bar = bars[-1]
    assert last_bar.startswith(("pixel: ", "GAN: "))
    assert "loss_g=" in last_bar
    assert "psnr_y=" in last_bar
    checkpoint = torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 2
    assert checkpoint["config"] == OmegaConf.to_container(OmegaConf.load(run_dir / "config.yaml"))
    assert checkpoint["provenance"]["iteration"] == checkpoint["global_step"]
    assert checkpoint["provenance"]["metrics"].keys() >= {"psnr_y", "ssim_y"}
    assert checkpoint["provenance"]["data"]["files"] > 0
    prefixes = {key.split(".")[0] for key in checkpoint["state_dict"]}
    assert prefixes <= {"generator", "generator_ema", "discriminator"}  # no VGG, no losses
    assert (run_dir / "checkpoints" / "best.ckpt").is_file()
    assert [step for step, _ in rows(run_dir, "train/loss_g")] == [1, 2]
    assert [step for step, _ in rows(run_dir, "val/psnr_y")] == [2]
    assert sorted(path.name for path in (run_dir / "samples").iterdir()) == [
        *("0000002_best.png", "0000002_worst.png"),
        *(f"{name}_0000002.png" for name in ("a", "b", "d")),
    ]


def test_validation_and_evaluation_agree_to_the_last_digit(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "sr.run.preflight.has_bf16", lambda device: True
    )  # slow where it has not, but the same numbers
    run_dir = tmp_path / "run"
    arguments = alive(run_dir, write_vgg(tmp_path / "vgg.pth"))
    train(compose_config(*arguments, f"data.val_dir={photos}", "trainer.precision=bf16-mixed"))
    assert rows(run_dir, "val/psnr_y")[-1][1] > 15  # not black
    for file in ("last.ckpt", "best.ckpt"):
        evaluated = run_evaluation(
            f"ckpt={run_dir}/checkpoints/{file}", f"hr_dir={photos}", f"out_dir={tmp_path}/out"
        )
        means = evaluated.sets["photos"].means[evaluated.models[0]]
        assert len(means) == 5
        for name, mean in means.items():
            assert rows(run_dir, f"val/{name}")[-1][1] == mean.value, name
    # The averaged net it was, and not the one of the last iteration.
    checkpoint = torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)
    for key in [key for key in checkpoint["state_dict"] if key.startswith("generator_ema.")]:
        checkpoint["state_dict"][key] = checkpoint["state_dict"][key.replace("generator_ema.", "generator.")]
    torch.save(checkpoint, tmp_path / "raw.ckpt")
    raw = run_evaluation(f"ckpt={tmp_path}/raw.ckpt", f"hr_dir={photos}", f"out_dir={tmp_path}/raw")
    assert raw.sets["photos"].means[raw.models[0]]["psnr_y"] != means["psnr_y"]


def test_the_same_seed_gives_the_same_run(tmp_path: Path, photos: Path) -> None:
    first, again, other = (
        run("esrgan_psnr", tmp_path, f"data.val_dir={photos}", f"seed={seed}", name=name)
        for name, seed in (("first", 3), ("again", 3), ("other", 4))
    )
    one, same, changed = (state(run_dir, "generator") for run_dir in (first, again, other))
    assert all(torch.equal(value, same[key]) for key, value in one.items())
    assert rows(first, "val/psnr_y") == rows(again, "val/psnr_y")
    assert any(not torch.equal(value, changed[key]) for key, value in one.items())


@pytest.mark.parametrize(
    ("overrides", "files"),
    [
        (["logger=tensorboard"], "tensorboard/events.out.tfevents.*"),
        (["logger=wandb"], "wandb/offline-run-*/files/media/images/samples/*.png"),
        (["channels=1", "metric=channels", "monitor=psnr_channels", "loss=l1"], "checkpoints/best.ckpt"),
        (["scale=2", "discriminator=patch", "gan_loss=hinge"], "checkpoints/best.ckpt"),
        (["scale=8", "gan_loss=relativistic_hinge"], "checkpoints/best.ckpt"),
    ],
)
def test_other_choices_run(tmp_path: Path, photos: Path, overrides: list[str], files: str) -> None:
    arguments = tiny("image_enhancement", tmp_path / "run", write_vgg(tmp_path / "vgg.pth"))
    if "loss=l1" in overrides:
        arguments = [argument for argument in arguments if "loss." not in argument]
    train(compose_config(*arguments, *overrides, f"data.val_dir={photos}"))
    assert list((tmp_path / "run").glob(files))
    evaluated = run_evaluation(
        f"ckpt={tmp_path}/run/checkpoints/last.ckpt", f"hr_dir={photos}", f"out_dir={tmp_path}/out"
    )
    (name, *_) = means = evaluated.sets["photos"].means[evaluated.models[0]]
    assert rows(tmp_path / "run", f"val/{name}")[-1][1] == means[name].value


def test_skipping_broken_files_trains_on(
    tmp_path: Path, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = (photos / "b.png").read_bytes()
    (photos / "b.png").write_bytes(data[: len(data) // 2])
    folder = ["data=folder", f"data.train_dir={photos}", "data.on_error=skip", "data.val_dir=null"]
    arguments = tiny("esrgan_psnr", tmp_path / "run", tmp_path / "none")
    arguments = [
        a for a in arguments if a not in ("data=dead_leaves", "data.num_images=2", "data.image_size=64")
    ]
    train(compose_config(*arguments, *folder, "data.batch_size=4"))
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()
    assert "1 of 4 training images were skipped as unreadable" in caplog.text


def test_max_steps_counts_generator_updates_across_epochs(tmp_path: Path, photos: Path) -> None:
    limits = ("trainer.max_steps=5", "trainer.max_epochs=-1", "trainer.check_val_every_n_epoch=2")
    run_dir = run("image_enhancement", tmp_path, f"data.val_dir={photos}", *limits)
    assert torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 5
    assert [step for step, _ in rows(run_dir, "train/loss_g")] == [1, 2, 3, 4, 5]
    assert [step for step, _ in rows(run_dir, "val/psnr_y")] == [4]


@pytest.mark.parametrize("loss", ["loss_g", "loss_d"])
def test_logged_losses_are_means_over_the_interval(tmp_path: Path, photos: Path, loss: str) -> None:
    each = run("image_enhancement", tmp_path, f"data.val_dir={photos}", name="each")
    both = run(
        "image_enhancement", tmp_path, f"data.val_dir={photos}", "trainer.log_every_n_steps=2", name="both"
    )
    (_, first), (_, second) = rows(each, f"train/{loss}")
    ((step, mean),) = rows(both, f"train/{loss}")
    assert step == 2
    assert mean == pytest.approx((first + second) / 2, rel=1e-5)


def test_two_processes_follow_one_with_the_whole_batch(tmp_path: Path, photos: Path) -> None:
    """Relativistic averages included; and three images over two processes are each counted once."""
    (photos / "d.png").unlink()
    vgg, two = write_vgg(tmp_path / "vgg.pth"), tmp_path / "two"
    one = tmp_path / "one"
    train(compose_config(*alive(one, vgg), f"data.val_dir={photos}", "data.batch_size=4"))
    arguments = [argument for argument in alive(two, vgg) if not argument.startswith("run_dir")]
    done = run_program(
        "train.py", *arguments, f"data.val_dir={photos}", "trainer.devices=2", f"hydra.run.dir={two}"
    )
    assert done.returncode == 0, done.stderr
    losses = ("train/loss_g", "train/loss_d", "train/adversarial", "val/loss_g", "val/loss_d")
    for column in (*losses, "train/psnr_y", "train/ssim_rgb"):
        assert rows(one, column)
        for (step, value), (other_step, other) in zip(rows(one, column), rows(two, column), strict=True):
            assert (step, value) == (other_step, pytest.approx(other, rel=1e-5))
    of_two = state(two, "")
    for key, value in state(one, "").items():
        if key == "discriminator.conv9.bias":
            continue  # relative logits do not depend on it: its gradient is rounding, which Adam blows up
        torch.testing.assert_close(of_two[key], value, atol=2e-5, rtol=1e-3, msg=key)
    assert rows(two, "val/psnr_y")[-1][1] > 15  # not black
    # Of one and the same net, two processes give the very numbers of one.
    evaluated = run_evaluation(
        f"ckpt={two}/checkpoints/last.ckpt", f"hr_dir={photos}", f"out_dir={tmp_path}/out"
    )
    for name, mean in evaluated.sets["photos"].means[evaluated.models[0]].items():
        assert rows(two, f"val/{name}")[-1][1] == mean.value, name


@pytest.mark.slow
def test_a_compiled_run_follows_the_eager_one(tmp_path: Path, photos: Path) -> None:
    """Adam turns a rounded gradient into a step of the learning rate, so weights may differ by steps, not by more."""
    states = []
    for choice in ("false", "true"):
        settings = (f"data.val_dir={photos}", f"compile={choice}")
        run_dir = run("image_enhancement", tmp_path, *settings, name=choice)
        content = torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)
        states.append(content["state_dict"])
    eager, compiled = states
    assert eager.keys() == compiled.keys()
    for key, value in eager.items():
        if key.endswith(("weight", "bias")):
            torch.testing.assert_close(compiled[key], value, rtol=0, atol=2 * 2 * 2e-4, msg=key)
            assert (compiled[key] - value).abs().mean() < 2e-5, key


def test_every_offline_folder_of_a_resumed_wandb_run_is_to_be_synced(tmp_path: Path) -> None:
    folder = tmp_path / "a run" / "wandb"
    for name in ("20260101_000000-old", "20260102_000000-ab12", "20260103_000000-ab12"):
        (folder / f"offline-run-{name}").mkdir(parents=True)
    (folder / "latest-run").symlink_to("offline-run-20260103_000000-ab12")
    look, sync = wandb_commands(folder).split("   or   ")
    assert shlex.split(look) == ["wandb", "leet", str(folder / "latest-run")]
    starts = [str(folder / f"offline-run-{name}-ab12") for name in ("20260102_000000", "20260103_000000")]
    assert shlex.split(sync) == ["wandb", "sync", *starts]
    (folder / "run-20260104_000000-cd34").mkdir()  # was sent as it ran
    (folder / "latest-run").unlink()
    (folder / "latest-run").symlink_to("run-20260104_000000-cd34")
    assert "sync" not in wandb_commands(folder)


def test_the_next_command_makes_lr_as_validation_did() -> None:
    blind = {"degradation@data.val_degradation": "mild"}
    assert degradation_of_validation({"degradation": "bicubic"}) == ""
    assert degradation_of_validation({"degradation": "realesrgan"}) == " degradation=realesrgan"
    assert metric_of_validation({"metric": "channels"}) == metric_of_validation({}) == ""
    assert metric_of_validation({"metric": "bands"}) == " metric=bands"
    assert degradation_of_validation({"degradation": "bicubic", **blind}) == " degradation=mild"
    plain = {"degradation": "mild", "degradation@data.val_degradation": "bicubic"}
    assert degradation_of_validation(plain) == ""
