"""Scenes of four bands from training to evaluation, upscaling and export."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from evaluation_runs import evaluate_into
from helpers import WITHOUT_CURVES, compose_config, small_vgg, write_vgg
from scenes import scene, write_scene, write_scenes
from upscaling import upscale

from sr.commands.export import parse as parse_export
from sr.ops.normalisation import normalisation
from sr.pictures.reading import read_picture
from sr.programs.export import run as run_export
from sr.programs.train import train
from sr.run.resume import ResumeError
from sr.weights.checkpoint import read_checkpoint

LOW, HIGH = [0.0], [10000.0]


def overrides(tmp_path: Path, run_dir: Path, *changes: str) -> list[str]:
    """The recipe with nets and lengths that fit into seconds."""
    scenes = tmp_path / "scenes"
    if not scenes.exists():
        write_scenes(scenes, hole=True)
    vgg = tmp_path / "vgg.pth"
    if not vgg.exists():
        write_vgg(vgg)
    return [
        "experiment=multispectral",
        f"data.train_dir={scenes}",
        f"data.val_dir={scenes}",
        f"run_dir={run_dir}",
        *small_vgg(compose_config("experiment=multispectral"), vgg),
        *(f"generator.{key}=4" for key in ("num_feat", "num_grow_ch")),
        "generator.num_block=1",
        "discriminator.num_feat=4",
        "logger=csv",
        WITHOUT_CURVES,
        "callbacks.samples.count=1",
        "trainer.accelerator=cpu",
        "trainer.precision=32-true",
        "trainer.log_every_n_steps=1",
        "trainer.max_steps=3",
        "trainer.max_epochs=1",
        "data.hr_patch_size=32",
        "data.batch_size=2",
        "data.num_workers=0",
        "data.iterations_per_epoch=3",
        "model.ramp.generator_only=1",
        "model.ramp.ramp=1",
        *changes,
    ]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds `scenes` and `run`."""
    root = tmp_path_factory.mktemp("multispectral")
    train(compose_config(*overrides(root, root / "run")))
    return root


def checkpoint(root: Path) -> Path:
    return root / "run" / "checkpoints" / "last.ckpt"


def rows(root: Path) -> dict[str, float]:
    """The last value of every column of metrics.csv."""
    lines = (root / "run" / "metrics.csv").read_text().splitlines()
    names, values = lines[0].split(","), {}
    for line in lines[1:]:
        values |= {name: float(v) for name, v in zip(names, line.split(","), strict=True) if v}
    return values


def test_the_recipe_trains_and_keeps_its_normalisation(trained: Path) -> None:
    found = read_checkpoint(checkpoint(trained))
    assert found.normalise == {"low": LOW, "high": HIGH}
    values = rows(trained)
    assert {"val/ergas", "val/sam", "val/psnr_channels", "train/loss_d"} <= values.keys()
    assert all(np.isfinite(value) for value in values.values())
    assert list((trained / "run" / "samples").glob("*.png"))


def test_evaluation_agrees_with_validation(trained: Path, tmp_path: Path) -> None:
    found = evaluate_into(
        tmp_path,
        f"ckpt={checkpoint(trained)}",
        f"hr_dir={trained / 'scenes'}",
        "metric=bands",
        "measure=[ergas,sam]",
    )
    assert found.protocol.definitions["range"].endswith("band by band: 0 and 10000 of the files")
    means, values = found.sets["scenes"].means["multispectral"], rows(trained)
    for name in ("psnr_channels", "ssim_channels", "mse", "ergas", "sam"):
        assert np.float32(means[name].value) == np.float32(values[f"val/{name}"]), name


def test_pictures_of_an_evaluation_show_the_bands_that_were_chosen(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = []
    for name, words in (("first", []), ("chosen", ["bands=[3,1,0]"])):
        run = (f"ckpt={checkpoint(trained)}", f"hr_dir={trained / 'scenes'}", "report_images=0", *words)
        evaluate_into(tmp_path / name, *run)
        pictures.append(read_picture(min((tmp_path / name / "out" / "scenes").glob("*.png"))).colour)
    first, chosen = pictures
    np.testing.assert_array_equal(chosen[:, :, [2, 1]], first[:, :, [0, 1]])
    assert (chosen[:, :, 0] != first[:, :, 2]).any()
    said = capsys.readouterr().out
    assert "pictures show the bands [0, 1, 2], counted from 0, of 4" in said
    assert "pictures show the bands [3, 1, 0], counted from 0, of 4" in said
    with pytest.raises(ValueError, match=r"bands=\[4, 1, 0\]: images of channels=4 have the bands 0 to 3"):
        evaluate_into(tmp_path / "wrong", *run[:3], "bands=[4,1,0]")


def test_a_scene_is_enlarged_in_its_own_units(trained: Path, tmp_path: Path) -> None:
    image = scene(12, 10)
    image[:3, :4] = 0
    path = write_scene(tmp_path / "in" / "a.tif", image, nodata=0.0)
    assert upscale(path, "--ckpt", checkpoint(trained), "--out", tmp_path / "out", "--format", "same") == 0
    result = read_picture(tmp_path / "out" / "a.tif")
    assert result.colour.dtype == np.uint16 and result.colour.shape == (48, 40, 4)
    assert result.nodata == 0
    empty = np.zeros((48, 40), bool)
    empty[:12, :16] = True
    np.testing.assert_array_equal((result.colour == 0).all(axis=2), empty)


@pytest.mark.parametrize("name", ["net.safetensors", "net.pth"])
def test_an_export_keeps_the_normalisation(trained: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    arguments = ["--ckpt", checkpoint(trained), "--format", file.suffix[1:], "--out", file]
    run_export(parse_export([*map(str, arguments)]))
    assert normalisation(read_checkpoint(file).normalise).content == {"low": LOW, "high": HIGH}


def test_a_start_from_a_checkpoint_takes_its_normalisation(
    trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    changes = (
        "data.normalise=null",
        f"init_from={checkpoint(trained)}",
        "trainer.max_steps=1",
        "callbacks.samples.count=0",
    )
    with caplog.at_level(logging.INFO):
        train(compose_config(*overrides(trained, tmp_path / "second", *changes)))
    assert "is that of init_from=" in caplog.text
    content = torch.load(tmp_path / "second" / "checkpoints" / "last.ckpt", weights_only=True)
    assert content["config"]["data"]["normalise"] == {"low": LOW, "high": HIGH}


def test_a_resumed_run_keeps_its_normalisation(trained: Path, tmp_path: Path) -> None:
    changes = (f"resume={checkpoint(trained)}", "data.normalise={low: 0, high: 1}")
    with pytest.raises(ResumeError, match=r"data\.normalise\.high\.0: 10000\.0 -> 1\.0"):
        train(compose_config(*overrides(trained, tmp_path / "again", *changes)))
