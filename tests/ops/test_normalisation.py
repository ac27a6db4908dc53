"""From stored values to those of a net and back."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sr.ops.image import quantize, to_float
from sr.ops.normalisation import FULL_RANGE, BandRange, for_net, normalisation


def values(dtype: str, *shape: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    if dtype == "float32":
        return rng.normal(280, 20, shape).astype(np.float32)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, endpoint=True).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_without_numbers_it_is_the_full_range_to_the_bit(dtype: str) -> None:
    image = values(dtype, 5, 6, 3)
    net, valid = for_net(image, nodata=None, by=normalisation(None))
    assert valid is None
    np.testing.assert_array_equal(net, to_float(image))
    np.testing.assert_array_equal(FULL_RANGE.to_stored(net.copy(), image.dtype), image)
    np.testing.assert_array_equal(FULL_RANGE.as_saved(net, image.dtype), quantize(net))


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_types_without_a_range_need_numbers(dtype: str) -> None:
    assert not FULL_RANGE.takes(np.dtype(dtype))
    with pytest.raises(ValueError, match=f"{dtype} has no natural range: write data.normalise="):
        FULL_RANGE.to_net(values(dtype, 2, 2, 1))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_there_and_back_is_the_same(dtype: str) -> None:
    image = values(dtype, 7, 8, 3)
    by = BandRange(low=[-100, 0, 270], high=[30000, 10000, 300])
    net = by.to_net(image)
    expected = (image.astype(np.float64) - [-100, 0, 270]) / [30100, 10000, 30]
    np.testing.assert_allclose(net, expected, rtol=1e-5, atol=1e-5)
    back = by.to_stored(net.copy(), image.dtype)
    assert back.dtype == image.dtype
    np.testing.assert_allclose(back, image, rtol=1e-6, atol=1e-3 if dtype == "float32" else 0)
    torch.testing.assert_close(
        by.undone(torch.from_numpy(net).permute(2, 0, 1)[None].double()),
        torch.from_numpy(image.astype(np.float64)).permute(2, 0, 1)[None],
        rtol=1e-6,
        atol=1e-2,
    )


def test_what_is_beyond_the_type_is_clipped_and_what_is_beyond_the_range_is_not() -> None:
    by = BandRange(low=0, high=100)
    np.testing.assert_allclose(by.to_net(np.array([[[-50], [300]]], np.int16)).ravel(), [-0.5, 3])
    net = np.array([[[-1.0], [5.0], [0.014], [0.016]]], np.float32)
    np.testing.assert_array_equal(by.to_stored(net, np.dtype(np.uint8)).ravel(), [0, 255, 1, 2])


def test_lr_is_rounded_as_its_file_would_be() -> None:
    by = BandRange(low=0, high=10000)
    net = np.random.default_rng(0).random((4, 4, 2), np.float32)
    saved = by.as_saved(net, np.dtype(np.uint16))
    np.testing.assert_allclose(saved, np.round(net * 10000) / 10000, atol=1e-7)
    np.testing.assert_array_equal(by.as_saved(net, np.dtype(np.float32)), net)


def test_mean_and_deviation_are_a_range_of_three_deviations() -> None:
    by = normalisation({"mean": [10.0, -4.0], "deviation": [2.0, 1.0]})
    assert by.content == {"low": [4.0, -7.0], "high": [16.0, -1.0]}
    assert normalisation(by.content).content == by.content


def test_a_file_holds_the_same_numbers(tmp_path: Path) -> None:
    file = tmp_path / "bands.json"
    file.write_text(json.dumps({"low": [1, 2], "high": [3, 4], "from": {"images": 3}}))
    assert normalisation(str(file)).content == {"low": [1.0, 2.0], "high": [3.0, 4.0]}
    with pytest.raises(FileNotFoundError, match="sr-normalise DIR --out"):
        normalisation(str(tmp_path / "none.json"))
    file.write_text("{")
    with pytest.raises(ValueError, match="is no JSON"):
        normalisation(str(file))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"low": 0}, "has the keys low: write"),
        ({"low": 0, "high": 1, "mean": 0}, "has the keys high, low, mean"),
        ({"low": [0, 5], "high": [1, 5]}, r"high=5.0 of band 1 \(counted from 0\) must be above low=5.0"),
        ({"low": [0, 1], "high": [2, 3, 4]}, "low has 2 numbers and high has 3"),
        ({"low": "a", "high": 1}, "low=a must be a finite number"),
        ({"low": 0, "high": float("inf")}, "high=inf must be a finite number"),
        ({"mean": [0.0], "deviation": [0.0]}, "must be above 0"),
        ({"mean": [0.0, 1.0], "deviation": [1.0]}, "mean has 2 numbers and deviation has 1"),
    ],
)
def test_other_words_are_refused(given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        normalisation(given)


def test_the_number_of_bands_is_checked() -> None:
    BandRange(low=0, high=1).check(channels=7)
    with pytest.raises(ValueError, match="numbers for 2 bands, where channels=3"):
        BandRange(low=[0, 0], high=1).check(channels=3)


def test_a_band_without_data_is_zero_for_the_net() -> None:
    image = np.full((2, 2, 2), np.nan, np.float32)
    image[0, :, 0] = 280
    net, valid = for_net(image, nodata=None, by=BandRange(low=270, high=290))
    assert valid is not None and valid.sum() == 2
    np.testing.assert_allclose(net[:, :, 0], 0.5)
    np.testing.assert_array_equal(net[:, :, 1], 0)
