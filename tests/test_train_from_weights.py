"""Runs that start from the weights of another run, or of published files."""

from pathlib import Path

import pytest
import torch
from helpers import compose_config, write_vgg
from training_runs import alive, rows, run, state

from sr.programs.train import train


def test_init_from_starts_at_the_averaged_weights(tmp_path: Path, photos: Path) -> None:
    vgg, first, second = write_vgg(tmp_path / "vgg.pth"), tmp_path / "first", tmp_path / "second"
    train(compose_config(*alive(first, vgg), f"data.val_dir={photos}"))
    start = (f"init_from={first}/checkpoints/last.ckpt", "optimizer_g.lr=0", "optimizer_d.lr=0")
    train(compose_config(*alive(second, vgg), f"data.val_dir={photos}", *start))
    average = state(first, "generator_ema.")
    for key, value in state(second, "generator.").items():
        assert torch.equal(value, average[key.replace("generator.", "generator_ema.")]), key
    judge = state(first, "discriminator.")
    for key, value in state(second, "discriminator.").items():
        if "weight_u" not in key and "weight_v" not in key:  # the power iteration goes on
            assert torch.equal(value, judge[key]), key
    assert rows(second, "val/psnr_y")[-1][1] == pytest.approx(rows(first, "val/psnr_y")[-1][1], abs=1e-4)


def test_init_from_goes_on_with_another_discriminator(
    tmp_path: Path, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = run("image_enhancement", tmp_path, f"data.val_dir={photos}", name="first")
    start = (f"init_from={first}/checkpoints/last.ckpt", "discriminator=patch", "optimizer_g.lr=0")
    second = run("image_enhancement", tmp_path, f"data.val_dir={photos}", *start, name="second")
    assert "discriminator starts from scratch" in caplog.text
    average = state(first, "generator_ema.")
    assert all(
        torch.equal(value, average[key.replace("generator.", "generator_ema.")])
        for key, value in state(second, "generator.").items()
    )


def test_plain_weights_start_a_gan(tmp_path: Path, photos: Path) -> None:
    first = run("esrgan_psnr", tmp_path, f"data.val_dir={photos}", name="first")
    average = {
        key.removeprefix("generator_ema."): value for key, value in state(first, "generator_ema.").items()
    }
    torch.save({"params_ema": average}, tmp_path / "weights.pth")
    for number, file in enumerate((tmp_path / "weights.pth", first / "checkpoints" / "last.ckpt")):
        start = (f"init_from={file}", "optimizer_g.lr=0", f"data.val_dir={photos}")
        second = state(run("esrgan", tmp_path, *start, name=f"second{number}"), "generator.")
        assert all(torch.equal(second[f"generator.{key}"], value) for key, value in average.items())


def test_fine_tuning_starts_from_the_two_published_files(tmp_path: Path, photos: Path) -> None:
    first = run("realesrgan", tmp_path, f"data.val_dir={photos}", name="first")
    files = {}
    for prefix, key in (("generator_ema.", "params_ema"), ("discriminator.", "params")):
        weights = {name.removeprefix(prefix): value for name, value in state(first, prefix).items()}
        torch.save({key: weights}, tmp_path / f"{key}.pth")
        files[prefix] = weights
    second = run(
        "finetune",
        tmp_path,
        f"init_from={tmp_path}/params_ema.pth",
        f"init_discriminator_from={tmp_path}/params.pth",
        "optimizer_g.lr=0",
        "optimizer_d.lr=0",
        f"data.val_dir={photos}",
        name="second",
    )
    generator, judge = state(second, "generator."), state(second, "discriminator.")
    for key, value in files["generator_ema."].items():
        assert torch.equal(generator[f"generator.{key}"], value), key
    for key, value in files["discriminator."].items():
        if "weight_u" not in key and "weight_v" not in key:  # the power iteration goes on
            assert torch.equal(judge[f"discriminator.{key}"], value), key


def test_weights_of_another_skip_are_warned_of(
    tmp_path: Path, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    arguments = [*alive(tmp_path / "first", write_vgg(tmp_path / "vgg.pth")), f"data.val_dir={photos}"]
    train(compose_config(*arguments))
    start = (f"init_from={tmp_path}/first/checkpoints/last.ckpt", f"run_dir={tmp_path}/second")
    train(compose_config(*arguments, *start, "generator.skip=nearest"))
    assert "generator.skip=nearest, but these weights belong to bicubic" in caplog.text
