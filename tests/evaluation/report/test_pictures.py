"""Which pictures a report shows, and which part of them."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import picture

from sr.evaluation.report import pictures
from sr.evaluation.report.pictures import choose_images, data_uri, find_details, gain, shrink
from sr.metrics.protocol import PSNR
from sr.metrics.quantity import Quantity


def decode(uri: str) -> np.ndarray:
    head, body = uri.split(",")
    assert head == "data:image/webp;base64"
    return np.asarray(cv2.imdecode(np.frombuffer(base64.b64decode(body), np.uint8), cv2.IMREAD_COLOR))[
        :, :, ::-1
    ]


def entry(net: float, bicubic: float, metric: str = "psnr_y") -> dict:
    return {"net": {metric: net}, "bicubic": {metric: bicubic}}


def test_pictures_are_lossless() -> None:
    noise = np.random.default_rng(0).integers(0, 256, size=(31, 17, 3), dtype=np.uint8)
    assert np.array_equal(decode(data_uri(noise)), noise)


def test_worst_first_by_gain() -> None:
    entries = [entry(30, 29), entry(40, 36), entry(20, 21), entry(30, 27)]
    models = ["net", "bicubic"]
    quantities = {"psnr_y": PSNR, "mae": Quantity(better="lower", digits=".4f")}
    assert [gain(each, quantities, models) for each in entries] == [1, 4, -1, 3]
    assert choose_images(entries, quantities, models=models, most=9) == [2, 0, 3, 1]
    assert choose_images(entries, quantities, models=models, most=3) == [2, 0, 1]
    assert choose_images(entries, quantities, models=models, most=1) == [2]
    assert choose_images(entries, quantities, models=["net"], most=9) == [2, 0, 3, 1]
    less_is_better = [entry(0.1, 0.3, "mae"), entry(0.4, 0.3, "mae")]
    assert choose_images(less_is_better, quantities, models=models, most=9) == [1, 0]


def versions(height: int, width: int, *, scale: int = 4) -> dict[str, np.ndarray]:
    hr = picture(height, width)
    lr = hr[::scale, ::scale]
    return {"LR": lr, "bicubic": hr, "net": hr.copy(), "HR": hr}


def test_small_images_are_shown_whole() -> None:
    given = versions(40, 60)
    shown, part = shrink(given)
    assert part == ""
    assert all(np.array_equal(shown[version], given[version]) for version in given)


def test_of_large_images_the_busiest_part_is_shown_in_all_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_SIDE", 50)
    given = versions(120, 40)
    given["HR"][:] = 128
    given["HR"][70:100, :] = np.random.default_rng(0).integers(0, 256, size=(30, 40, 3))
    given["LR"] = given["HR"][::4, ::4]
    shown, part = shrink(given)
    assert shown["HR"].shape == shown["net"].shape == (48, 40, 3)  # a multiple of the scale
    assert shown["LR"].shape == (12, 10, 3)
    assert np.array_equal(shown["LR"], shown["HR"][::4, ::4])  # the same place in both
    assert part == "the 40 x 48 pixels with the most detail, from 0, 52 on,"
    assert np.array_equal(shown["HR"], given["HR"][52:100])


def test_lr_of_another_shape_is_enlarged_with_square_pixels() -> None:
    given = {**versions(40, 60), "LR": picture(9, 9)}
    shown, _ = shrink(given)
    assert shown["LR"].shape == (40, 60, 3)
    assert len(np.unique(shown["LR"].reshape(-1, 3), axis=0)) <= 81


def test_details_lie_where_the_errors_differ_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "DETAIL", 8)
    given = versions(64, 96)
    hr = given["HR"] = np.full((64, 96, 3), 100, np.uint8)
    given["net"], given["bicubic"] = hr.copy(), hr.copy()
    given["net"][20:28, 30:38] += 20  # the net is wrong here,
    given["bicubic"][40:48, 70:78] += 10  # the baseline there,
    given["net"][0:3] += 90  # and what lies in the border does not count
    worst, best = find_details(given, models=["net", "bicubic"], crop_border=4)
    assert worst.title == "net is worst against bicubic, at 30, 20"
    assert best.title == "net is best, at 70, 40"
    assert list(worst.pictures) == ["LR", "bicubic", "net", "HR"]
    assert np.array_equal(decode(worst.pictures["net"]), given["net"][20:28, 30:38])
    assert np.array_equal(decode(best.pictures["bicubic"]), given["bicubic"][40:48, 70:78])
    assert decode(worst.pictures["LR"]).shape == (8, 8, 3)
    assert worst.psnr["net"] == pytest.approx(20 * np.log10(255 / 20))
    assert worst.psnr["bicubic"] == float("inf")


def test_without_a_second_model_there_are_no_details() -> None:
    assert find_details(versions(64, 64), models=["bicubic"], crop_border=4) == []


def test_tiny_images_have_tiny_details(tmp_path: Path) -> None:
    worst, _ = find_details(versions(12, 20), models=["net", "bicubic"], crop_border=4)
    assert decode(worst.pictures["HR"]).shape == (4, 4, 3)
