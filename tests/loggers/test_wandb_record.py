"""The offline record of a whole run, read back: axis, keys, media, tables, configuration, summary, artifacts."""

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import wandb
from evaluation_runs import run_evaluation
from helpers import compose_config, picture, small_gan
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from wandb_record import WandbRecord

from sr.loggers.workspace.layout import HEALTH, LOSSES, TRAIN, validation_panels
from sr.pictures.reading import read_image
from sr.pictures.writing import write_png
from sr.programs.train import train

SIZES = {"a": (64, 72), "b": (80, 68), "deep/c": (72, 88), "d": (96, 64)}  # HR, multiples of the scale
TENSORBOARD = [
    "+logger.tensorboard._target_=sr.loggers.tensorboard.ResumableTensorBoardLogger",
    "+logger.tensorboard.save_dir=${run_dir}",
    "+logger.tensorboard.name=tensorboard",
    "+logger.tensorboard.version=''",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wandb")
    for number, (name, size) in enumerate(SIZES.items()):
        write_png(folder / "photos" / f"{name}.png", picture(*size, seed=number))
    settings = [
        "logger=wandb",
        "logger.wandb.log_model=all",
        "logger.wandb.tags=[one,two]",
        "+logger.wandb.id=ab12",
    ]
    settings += [f"data.val_dir={folder}/photos", "trainer.max_steps=8", "callbacks.samples.count=1"]
    train(compose_config(*small_gan(folder / "run"), *settings, *TENSORBOARD))
    assert wandb.run is None  # ended, or the next training of this process would be logged into it
    return folder


@pytest.fixture(scope="module")
def record(folder: Path) -> WandbRecord:
    return WandbRecord(folder / "run")


def rows(folder: Path, column: str) -> list[tuple[int, float]]:
    with (folder / "run" / "metrics.csv").open(newline="") as file:
        return [(int(row["iteration"]), float(row[column])) for row in csv.DictReader(file) if row[column]]


def test_iteration_is_the_axis_of_everything(record: WandbRecord) -> None:
    defined = record.of("metric")
    assert [(each.name or each.glob_name, each.step_metric) for each in defined] == [
        ("iteration", ""),
        ("*", "iteration"),
    ]
    assert "trainer/global_step" not in {key for row in record.history() for key in row}
    assert [iteration for iteration, _ in record.column("train/loss_g")] == [2, 4, 6, 8]
    assert [iteration for iteration, _ in record.column("val/psnr_y")] == [3, 6]


def test_csv_tensorboard_and_wandb_have_the_same_numbers_at_the_same_iterations(
    folder: Path, record: WandbRecord
) -> None:
    events = EventAccumulator(str(folder / "run" / "tensorboard")).Reload()
    assert "hp_metric" not in events.Tags()["scalars"]
    for key in (
        "train/loss_g",
        "train/learning_rate_g",
        "val/psnr_y",
        "val/bicubic_psnr_y",
        "health/accuracy_d",
    ):
        expected = rows(folder, key)
        assert expected
        assert record.column(key) == expected
        assert [(each.step, each.value) for each in events.Scalars(key)] == [
            (iteration, pytest.approx(value, rel=1e-6)) for iteration, value in expected
        ]


def test_bicubic_is_that_of_the_evaluation(folder: Path, record: WandbRecord) -> None:
    evaluated = run_evaluation(
        f"ckpt={folder}/run/checkpoints/last.ckpt", f"hr_dir={folder}/photos", f"out_dir={folder}/out"
    )
    means = evaluated.sets["photos"].means["bicubic"]
    assert len(means) == 5
    for name, mean in means.items():
        assert record.column(f"val/bicubic_{name}") == [(3, mean.value), (6, mean.value)], name


def test_a_table_per_validation_has_all_images_and_the_pictures_of_some(
    folder: Path, record: WandbRecord
) -> None:
    tables = record.tables("val/images")
    assert len(tables) == 2
    for table, (_, mean) in zip(tables, record.column("val/psnr_y"), strict=True):
        metrics = ["psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb", "mse"]
        assert table["columns"] == ["name", "LR", "bicubic", "SR", "HR", *metrics]
        images = {row[0]: dict(zip(table["columns"], row, strict=True)) for row in table["data"]}
        assert sorted(images) == sorted(SIZES)
        values = {name: image["psnr_y"] for name, image in images.items()}
        assert np.mean([*values.values()]) == pytest.approx(mean, rel=1e-6)
        shown = {name for name, image in images.items() if image["SR"] is not None}
        assert shown == {"a", min(values, key=values.__getitem__), max(values, key=values.__getitem__)}
        for name in shown:
            height, width = SIZES[name]
            for version in ("LR", "bicubic", "SR", "HR"):
                assert (images[name][version]["height"], images[name][version]["width"]) == (height, width)


def test_panels_have_captions_and_the_very_pixels(folder: Path, record: WandbRecord) -> None:
    rows = [row for row in record.history() if "samples/worst.captions" in row]
    assert [row["iteration"] for row in rows] == [3, 6]
    table = record.tables("val/images")[-1]
    values = {row[0]: row[5] for row in table["data"]}
    worst = min(values, key=values.__getitem__)
    captions = rows[-1]["samples/worst.captions"]
    assert captions[0] == f"LR: {worst}, worst of 4"
    assert captions[2].startswith(f"SR after 6 iterations: psnr_y {values[worst]:.2f} dB, ssim_y 0.")
    assert {f"samples/{name}.captions" for name in ("a", "worst", "best")} <= rows[-1].keys()
    *_, hr = rows[-1]["samples/a.filenames"]
    np.testing.assert_array_equal(
        read_image(record.folder / "files" / hr), read_image(folder / "photos" / "a.png")
    )


def test_the_configuration_has_every_value_once_and_classes_by_name(record: WandbRecord) -> None:
    config = record.config()
    assert config["generator"]["class"] == "SRVGGNetCompact"
    assert config["generator"]["num_feat"] == 8
    assert "generator" not in config["model"]
    assert config["optimizer_g"]["class"] == "Adam"
    assert "_target_" not in str(config)


def test_the_summary_has_the_best_the_last_and_bicubic(record: WandbRecord) -> None:
    summary = record.summary()
    for name, best in (("psnr_y", max), ("mse", min)):
        logged = record.column(f"val/{name}")
        iteration, value = best(logged, key=lambda each: each[1])
        assert (summary[f"best/{name}"], summary[f"best/{name}_iteration"]) == (value, iteration)
        assert summary[f"val/{name}"] == logged[-1][1]
        assert summary[f"val/bicubic_{name}"] == record.column(f"val/bicubic_{name}")[-1][1]


def test_the_run_is_named_as_asked(record: WandbRecord) -> None:
    run = record.run
    assert (run.run_id, run.project, run.display_name) == ("ab12", "super-resolution", "quickstart")
    assert list(run.tags) == ["one", "two"]


def test_checkpoints_are_versions_of_one_artifact(folder: Path, record: WandbRecord) -> None:
    found: list[Any] = record.artifacts("model")
    assert {each.name for each in found} == {"quickstart-ab12"}
    aliases = [set(each.aliases) - {"latest"} for each in found]
    assert aliases[0] == {"last", "iteration-3"}
    assert {"best", "iteration-3"} in aliases
    assert aliases[-1] == {"last", "iteration-8"}
    (entry,) = found[-1].manifest.contents
    assert entry.path == "model.ckpt"
    kept = torch.load(entry.local_path, weights_only=True)
    assert kept["global_step"] == 8
    assert Path(entry.local_path).is_relative_to(folder / "run" / "wandb")
    assert '"iteration":8' in found[-1].metadata
    assert '"psnr_y":' in found[-1].metadata
    assert '"git_revision":' in found[-1].metadata


def test_the_panels_of_the_saved_view_show_what_is_logged(record: WandbRecord) -> None:
    logged = {key for row in record.history() for key in row}
    wanted = {key for _, keys in (*TRAIN, *HEALTH, *validation_panels("psnr_y")) for key in keys}
    assert wanted - logged == {"train/data_wait"}  # which begins after 20 iterations
    of_losses = {key for key in logged if any(re.fullmatch(keys, key) for _, keys, _ in LOSSES)}
    assert of_losses == {
        f"health/{what}_{term}"
        for what in ("gradient", "share")
        for term in ("l1", "adversarial", "feature_matching")
    }
