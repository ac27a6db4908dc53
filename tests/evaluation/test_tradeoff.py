"""Interpolations between two nets: the curve, its files, and how to keep one net of it."""

import csv
from pathlib import Path

import numpy as np
import pytest
from evaluation_runs import METRICS, evaluate_into, write_two_nets
from helpers import picture, run_here

from sr.evaluation.tables import format_differences, format_protocol
from sr.evaluation.tradeoff import format_export, format_tradeoff
from sr.pictures.reading import read_image
from sr.pictures.writing import write_png


@pytest.fixture
def two(tmp_path: Path) -> str:
    return write_two_nets(tmp_path)


def test_a_sweep_between_two_models(tmp_path: Path, photos: Path, two: str) -> None:
    report = evaluate_into(tmp_path, two, "alphas=[0,0.5,1]", f"hr_dir={photos}", "protocol=esrgan_paper")
    assert report.models == ["alpha=0", "alpha=0.5", "alpha=1", "bicubic"]
    curve = report.tradeoff
    assert curve is not None
    assert (curve.distortion, curve.perception) == ("psnr_y", "sharpness")
    means = report.sets["photos"].means
    points = curve.sets["photos"]
    assert [point.alpha for point in points] == [0, 0.5, 1]
    for point in points:
        found = means[f"alpha={point.alpha:g}"]
        assert (point.distortion, point.perception) == (found["psnr_y"], found["sharpness"])
    assert points[0].perception.value < points[1].perception.value < points[2].perception.value
    ends = evaluate_into(tmp_path / "ends", two, f"hr_dir={photos}", "protocol=esrgan_paper").sets["photos"]
    assert [ends.means[name]["psnr_y"] for name in ("psnr", "gan")] == [
        points[0].distortion,
        points[2].distortion,
    ]
    with (tmp_path / "out" / "tradeoff.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["set"], float(row["alpha"]), row["metric"]) for row in rows[:3]] == [
        ("photos", 0, "psnr_y"),
        ("photos", 0, "sharpness"),
        ("photos", 0.5, "psnr_y"),
    ]
    assert float(rows[2]["mean"]) == points[1].distortion.value
    assert (float(rows[2]["low"]), float(rows[2]["high"])) == points[1].distortion.interval
    picture_of_it = read_image(tmp_path / "out" / "tradeoff.png")
    blue = np.abs(picture_of_it.astype(int) - (0x2A, 0x6F, 0xDB)).sum(axis=2) < 12
    assert blue.sum() > 300  # the line is there
    text = format_tradeoff(curve, report.quantities)
    assert "sharpness is no perceptual metric" in text
    assert [line.split()[0] for line in text.splitlines()[2:5]] == ["photos", "0.5", "1"]
    command = format_export(curve, {"psnr": "a.ckpt", "gan": "b.ckpt"}, trust=["my_sr"]).splitlines()[1]
    assert "--interpolate-with b.ckpt --trust my_sr --alpha 0.5 " in command


def test_a_sweep_prints_how_to_export_one_alpha(tmp_path: Path, photos: Path, two: str) -> None:
    command = ["evaluate.py", two, "alphas=[0,0.4,1]", f"hr_dir={photos}/deep", f"out_dir={tmp_path}/out"]
    done = run_here(*command)
    assert done.returncode == 0, done.stderr
    assert (
        f"sr-export --ckpt {tmp_path}/first.safetensors --interpolate-with {tmp_path}/second.safetensors"
        " --alpha 0.4 --format safetensors --out FILE\n"
    ) in done.stdout
    assert "protocol validation: PSNR in dB" in done.stdout
    for file in (
        "metrics.json",
        "per_image.csv",
        "comparison.png",
        "tradeoff.png",
        "tradeoff.csv",
        "report.html",
    ):
        assert f"{tmp_path}/out/{file}" in done.stdout
        assert (tmp_path / "out" / file).stat().st_size


def test_a_measure_may_need_colour(tmp_path: Path, photos: Path) -> None:
    own = "+measure.own._target_=own_metrics.ColourError"
    with pytest.raises(ValueError, match="measure own needs images of 3 channels, got 1"):
        evaluate_into(tmp_path, "ckpt=bicubic", own, "channels=1", f"hr_dir={photos}")


def test_a_sweep_is_drawn_against_the_measure_that_is_asked_for(tmp_path: Path, two: str) -> None:
    for number in range(2):
        write_png(tmp_path / "hr" / f"{number}.png", picture(200, 208, seed=number))
    report = evaluate_into(tmp_path, two, "alphas=[0,1]", "measure=[niqe,gmsd]", f"hr_dir={tmp_path}/hr")
    assert report.metrics == [*METRICS, "niqe", "gmsd"]
    assert report.tradeoff is not None
    assert report.tradeoff.perception == "niqe"
    assert "lower is better" in report.protocol.definitions["niqe"]
    assert (
        "Lower is better for mse, niqe and gmsd: a negative difference is an improvement."
        in format_differences(report)
    )
    assert "niqe: Mittal et al. 2013" in format_protocol(report)
    assert "no perceptual metric" not in format_tradeoff(report.tradeoff, report.quantities)
    assert "NIQE \u2193" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    write_png(tmp_path / "hr" / "2.png", picture(196, 208))
    with pytest.raises(ValueError, match="2: 208 x 196 pixels; the metric needs 200 on each side"):
        evaluate_into(tmp_path, two, "measure=niqe", f"hr_dir={tmp_path}/hr")


def test_files_of_an_evaluation_before_do_not_stay(tmp_path: Path, photos: Path, two: str) -> None:
    evaluate_into(tmp_path, two, "alphas=[0,1]", f"hr_dir={photos}/deep")
    evaluate_into(tmp_path, two, f"hr_dir={photos}/deep", "report_images=0")
    assert not {"tradeoff.png", "tradeoff.csv", "report.html"} & {
        file.name for file in (tmp_path / "out").iterdir()
    }
