"""Several models side by side, as text and as CSV."""

import csv
from pathlib import Path

import numpy as np
import pytest
from evaluation_runs import METRICS, evaluate_into, write_two_nets

from sr.evaluation.tables import format_differences, format_protocol, format_table
from sr.pictures.reading import read_image


@pytest.fixture
def two(tmp_path: Path) -> str:
    return write_two_nets(tmp_path)


def test_several_models_side_by_side(tmp_path: Path, photos: Path, two: str) -> None:
    report = evaluate_into(tmp_path, two, f"hr_dir={photos}")
    assert report.models == ["psnr", "gan", "bicubic"]
    assert report.checkpoints["gan"].endswith("second.safetensors")
    result = report.sets["photos"]
    for name in ("psnr", "gan"):
        alone = evaluate_into(tmp_path, f"ckpt={report.checkpoints[name]}", f"hr_dir={photos}")
        assert alone.sets["photos"].means[alone.models[0]] == result.means[name]
        shown = read_image(tmp_path / "out" / "photos" / "deep" / "c.png")
        assert np.array_equal(read_image(tmp_path / "out" / "photos" / name / "deep" / "c.png"), shown)
    pairs = {(pair.first, pair.second): pair.means for pair in result.differences}
    assert list(pairs) == [("psnr", "gan"), ("psnr", "bicubic"), ("gan", "bicubic")]
    each = [image.values["psnr"]["psnr_y"] - image.values["gan"]["psnr_y"] for image in result.images]
    difference = pairs["psnr", "gan"]["psnr_y"]
    assert difference is not None
    assert difference.value == pytest.approx(np.mean(each))
    assert difference.interval is not None
    np.testing.assert_allclose(difference.interval, [min(each), max(each)], atol=0.05)  # of four images
    table = format_table(report).splitlines()
    assert [line.split()[0] for line in table[1:]] == ["photos", "gan", "bicubic"]
    assert "photos: 4 images give no interval of more than 88%" in format_protocol(report)
    assert "psnr - gan" in format_differences(report)
    assert (
        "not contain 0. Lower is better for mse: a negative difference is an improvement."
        in format_differences(report)
    )


def test_the_numbers_as_csv(tmp_path: Path, photos: Path, two: str) -> None:
    report = evaluate_into(tmp_path, two, f"hr_dirs={{one: {photos}, two: {photos}/deep}}")
    with (tmp_path / "out" / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["set", "image", "model", "metric", "value"]
    assert len(rows) == (4 + 1) * 3 * len(METRICS)
    for row in rows:
        (image,) = [each for each in report.sets[row["set"]].images if each.name == row["image"]]
        assert float(row["value"]) == image.values[row["model"]][row["metric"]]
