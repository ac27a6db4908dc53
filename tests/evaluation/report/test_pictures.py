"""Which pictures a report shows, and which part of them."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import picture

from sr.evaluation.report import pictures
from sr.evaluation.report.pictures import choose_images, data_uri, find_details, gain, shrink
from sr.evaluation.result import ImageResult
from sr.evaluation.versions import Versions
from sr.metrics.protocol import PSNR
from sr.metrics.quantity import Quantity


def decode(uri: str) -> np.ndarray:
    head, body = uri.split(",")
    assert head == "data:image/webp;base64"
    return np.asarray(cv2.imdecode(np.frombuffer(base64.b64decode(body), np.uint8), cv2.IMREAD_COLOR))[
        :, :, ::-1
    ]


def result(net: float, bicubic: float, metric: str = "psnr_y") -> ImageResult:
    return ImageResult("x", {"net": {metric: net}, "bicubic": {metric: bicubic}})


def test_pictures_are_lossless() -> None:
    noise = np.random.default_rng(0).integers(0, 256, size=(31, 17, 3), dtype=np.uint8)
    assert np.array_equal(decode(data_uri(noise)), noise)


def test_worst_first_by_gain() -> None:
    images = [result(30, 29), result(40, 36), result(20, 21), result(30, 27)]
    models = ["net", "bicubic"]
    quantities = {"psnr_y": PSNR, "mae": Quantity(better="lower", digits=".4f")}
    assert [gain(each, quantities, models) for each in images] == [1, 4, -1, 3]
    assert choose_images(images, quantities, models=models, most=9) == [2, 0, 3, 1]
    assert choose_images(images, quantities, models=models, most=3) == [2, 0, 1]
    assert choose_images(images, quantities, models=models, most=1) == [2]
    assert choose_images(images, quantities, models=["net"], most=9) == [2, 0, 3, 1]
    less_is_better = [result(0.1, 0.3, "mae"), result(0.4, 0.3, "mae")]
    assert choose_images(less_is_better, quantities, models=models, most=9) == [1, 0]


def versions(hr: np.ndarray, *, scale: int = 4) -> Versions:
    return Versions(lr=hr[::scale, ::scale], models={"bicubic": hr, "net": hr.copy()}, hr=hr)


def test_small_images_are_shown_whole() -> None:
    given = versions(picture(40, 60))
    assert shrink(given) == (given, "")


def test_of_large_images_the_busiest_part_is_shown_in_all_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_SIDE", 50)
    hr = np.full((120, 40, 3), 128, np.uint8)
    hr[70:100, :] = np.random.default_rng(0).integers(0, 256, size=(30, 40, 3))
    shown, part = shrink(versions(hr))
    assert shown.hr.shape == shown.models["net"].shape == (48, 40, 3)  # a multiple of the scale
    assert shown.lr.shape == (12, 10, 3)
    assert np.array_equal(shown.lr, shown.hr[::4, ::4])  # the same part in both
    assert part == "the 40 x 48 pixels with the most detail, from 0, 52 on,"
    assert np.array_equal(shown.hr, hr[52:100])


def test_lr_of_another_shape_is_enlarged_with_square_pixels() -> None:
    hr = picture(40, 60)
    shown, _ = shrink(Versions(lr=picture(9, 9), models={"net": hr}, hr=hr))
    assert shown.lr.shape == (40, 60, 3)
    assert len(np.unique(shown.lr.reshape(-1, 3), axis=0)) <= 81


def test_details_lie_where_the_errors_differ_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "DETAIL", 8)
    hr = np.full((64, 96, 3), 100, np.uint8)
    net, bicubic = hr.copy(), hr.copy()
    net[20:28, 30:38] += 20  # the net is wrong here,
    bicubic[40:48, 70:78] += 10  # the baseline there,
    net[0:3] += 90  # and what lies in the border does not count
    given = Versions(lr=hr[::4, ::4], models={"bicubic": bicubic, "net": net}, hr=hr)
    worst, best = find_details(given, models=["net", "bicubic"], crop_border=4)
    assert worst.title == "net is worst against bicubic, at 30, 20"
    assert best.title == "net is best, at 70, 40"
    assert list(worst.pictures) == ["LR", "bicubic", "net", "HR"]
    assert np.array_equal(decode(worst.pictures["net"]), net[20:28, 30:38])
    assert np.array_equal(decode(best.pictures["bicubic"]), bicubic[40:48, 70:78])
    assert decode(worst.pictures["LR"]).shape == (8, 8, 3)
    assert worst.psnr["net"] == pytest.approx(20 * np.log10(255 / 20))
    assert worst.psnr["bicubic"] == float("inf")


def test_without_a_second_model_there_are_no_details() -> None:
    assert find_details(versions(picture(64, 64)), models=["bicubic"], crop_border=4) == []


def test_tiny_images_have_tiny_details(tmp_path: Path) -> None:
    worst, _ = find_details(versions(picture(12, 20)), models=["net", "bicubic"], crop_border=4)
    assert decode(worst.pictures["HR"]).shape == (4, 4, 3)
