"""Images as arrays and as tensors."""

import numpy as np
import pytest
import torch
from helpers import picture

from sr.ops.image import contiguous, crop_to_multiple, quantize, side_by_side, to_float, to_tensor, to_uint8


def pixels(height: int = 9, width: int = 7, channels: int = 3, dtype: type = np.uint8) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, np.iinfo(dtype).max, (height, width, channels), endpoint=True).astype(dtype)


def test_float_range_follows_the_dtype_not_the_values() -> None:
    dark = np.ones((1, 1, 1), np.uint8)
    assert to_float(dark).item() == pytest.approx(1 / 255)
    assert to_float(dark.astype(np.uint16)).item() == pytest.approx(1 / 65535)


def test_round_trip_through_a_tensor() -> None:
    image = pixels()
    np.testing.assert_array_equal(to_uint8(to_tensor(to_float(image))), image)
    assert to_uint8(torch.tensor([[[-1.0, 2.0]]])).tolist() == [[[0], [255]]]


def test_quantize_gives_the_levels_of_a_file() -> None:
    values = np.linspace(-0.1, 1.1, 1001, dtype=np.float32).reshape(1, -1, 1)
    levels = quantize(values) * 255
    np.testing.assert_allclose(levels, levels.round(), atol=1e-4)
    assert np.abs(quantize(values) - np.clip(values, 0, 1)).max() <= 0.5 / 255 + 1e-6


def test_crop_and_row() -> None:
    assert crop_to_multiple(pixels(9, 7), 4).shape == (8, 4, 3)
    row = side_by_side([pixels(), pixels()], gap=2)
    assert row.shape == (9, 16, 3)
    assert (row[:, 7:9] == 255).all()


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_contiguous_is_a_copy_in_order(channels: int, dtype: type) -> None:
    image = picture(7, 9, channels=channels).astype(dtype)
    views = (
        image,
        image.transpose(1, 0, 2),
        np.rot90(image),
        image[:, ::-1],
        image[2:5, 3:],
        image[:, :, ::-1],
    )
    for view in views:
        result = contiguous(view)
        assert result.flags.c_contiguous
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, view)
