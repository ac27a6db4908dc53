"""Which images of a validation are shown, and the words beside them."""

from math import nan

import numpy as np
import pytest

from sr.loggers.labelled import labelled
from sr.loggers.sheet import sheet
from sr.loggers.validated import Pictures, ValidatedImage, ValidatedSet, by_quality
from sr.metrics.protocol import MSE, PSNR, SSIM

PICTURE = np.zeros((32, 300, 3), np.uint8)


def validated(*psnr: float, monitor: str = "psnr_y", count: int = 1) -> ValidatedSet:
    images = [
        ValidatedImage(
            index=index,
            name=f"image{index}",
            values={"psnr_y": value, "ssim_y": 0.5, "mse": 10 ** (-value / 10)},
            bicubic={"psnr_y": 20.0, "ssim_y": 0.25, "mse": 0.01},
            pictures=Pictures(lr=PICTURE, bicubic=PICTURE, sr=PICTURE, hr=PICTURE),
        )
        for index, value in enumerate(psnr)
    ]
    quantities = {"psnr_y": PSNR, "ssim_y": SSIM, "mse": MSE}
    return ValidatedSet(iteration=50, images=images, count=count, quantities=quantities, monitor=monitor)


@pytest.mark.parametrize("monitor", ["psnr_y", "mse"])  # higher is better, lower is better
def test_worst_and_best_follow_the_direction_of_the_metric(monitor: str) -> None:
    found = validated(30.0, 20.0, nan, 40.0, 35.0, monitor=monitor)
    assert [(word, image.name) for word, image, _ in found.extremes()] == [
        ("worst", "image1"),
        ("best", "image3"),
    ]
    assert [found.place(image) for image in found.images] == ["", "worst of 5", "", "best of 5", ""]
    assert [image.name for image, _ in found.always_shown()] == ["image0"]


def test_a_single_image_is_neither_worst_nor_best() -> None:
    found = validated(30.0)
    assert not list(found.extremes())
    assert found.place(found.images[0]) == ""
    assert by_quality([], monitor="psnr_y", quantity=PSNR) == []


def test_values_are_printed_with_digits_and_unit() -> None:
    found = validated(30.126, 20.0)
    assert found.text(found.images[0].values) == "psnr_y 30.13 dB, ssim_y 0.5000, mse 9.71e-04"
    assert found.text(found.images[0].values, "ssim_y") == "ssim_y 0.5000"
    assert found.text({}) == ""


def test_a_sheet_has_four_pictures_below_their_words() -> None:
    found = validated(30.0, 20.0)
    drawn = sheet(found, found.images[0], Pictures(lr=PICTURE, bicubic=PICTURE, sr=PICTURE, hr=PICTURE + 255))
    header = drawn.shape[0] - 32
    assert drawn.shape[1:] == (4 * 300 + 3 * 4, 3)
    for column in range(4):
        words = drawn[header // 2 : header, column * 304 : column * 304 + 300]
        assert words.min() < 100, column  # ink
        np.testing.assert_array_equal(
            drawn[header:, column * 304 : column * 304 + 300], 255 if column == 3 else 0
        )
    assert (drawn[header:, 300:304] == 255).all()  # the gap


def test_letters_shrink_to_fit_and_never_enter_the_next_column() -> None:
    narrow = np.zeros((40, 60, 3), np.uint8)
    wide = labelled("title", [("a label", np.zeros((40, 400, 3), np.uint8))])
    small = labelled("title", [("a label of many words", narrow), ("", narrow)])
    assert small.shape[0] < wide.shape[0]  # smaller letters, lower header
    header = small.shape[0] - 40
    assert (small[header // 2 : header, 60:] == 255).all()
