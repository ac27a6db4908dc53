"""Where data are missing, what stands in their place, and how they are missing again."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from sr.ops.no_data import enlarged, filled, has_data, without_data


def test_what_is_no_data_depends_on_the_type() -> None:
    floats = np.array([[1, np.nan, np.inf, -9999.1]], np.float32)[..., None]
    np.testing.assert_array_equal(has_data(floats, nodata=None)[0, :, 0], [True, False, False, True])
    np.testing.assert_array_equal(has_data(floats, nodata=-9999.1)[0, :, 0], [True, False, False, False])
    shorts = np.array([[1, -9999, 0]], np.int16)[..., None]
    np.testing.assert_array_equal(has_data(shorts, nodata=-9999.0)[0, :, 0], [True, False, True])


@pytest.mark.parametrize(
    ("image", "nodata"),
    [
        (np.zeros((2, 2, 1), np.uint16), None),
        (np.zeros((2, 2, 1), np.uint16), -9999.0),  # which no uint16 has
        (np.zeros((2, 2, 1), np.float32), float("nan")),
    ],
)
def test_images_with_data_everywhere_have_no_mask(image: np.ndarray, nodata: float | None) -> None:
    assert has_data(image, nodata=nodata) is None


def test_each_band_is_filled_from_its_nearest_data() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 60000, (30, 40, 3)).astype(np.uint16)
    valid = rng.random((30, 40, 3)) < 0.3
    result = filled(image, valid)
    np.testing.assert_array_equal(result[valid], image[valid])
    for band in range(3):
        exact = distance_transform_edt(~valid[:, :, band])
        rows, columns = np.nonzero(valid[:, :, band])
        for y, x in zip(*np.nonzero(~valid[:, :, band]), strict=True):
            same = image[rows, columns, band] == result[y, x, band]
            found = np.hypot(rows[same] - y, columns[same] - x).min()
            # OpenCV's distances of a 5 x 5 mask are within some percent.
            assert found <= 1.1 * exact[y, x]


def test_a_band_without_data_stays() -> None:
    image = np.arange(8, dtype=np.int16).reshape(2, 2, 2)
    valid = np.zeros((2, 2, 2), bool)
    valid[0, 0, 0] = True
    result = filled(image, valid)
    np.testing.assert_array_equal(result[:, :, 0], 0)
    np.testing.assert_array_equal(result[:, :, 1], image[:, :, 1])


@pytest.mark.parametrize("size", [(8, 12), (7, 5), (2, 3)])
def test_a_mask_is_enlarged_by_the_nearest_pixel(size: tuple[int, int]) -> None:
    valid = np.random.default_rng(0).random((4, 6, 1)) < 0.5
    result = enlarged(valid, size=size)
    for y in range(size[0]):
        for x in range(size[1]):
            assert result[y, x, 0] == valid[int((y + 0.5) * 4 / size[0]), int((x + 0.5) * 6 / size[1]), 0]


@pytest.mark.parametrize(
    ("dtype", "nodata", "neighbour"),
    [("uint16", 0.0, 1), ("uint16", 65535.0, 65534), ("int16", -9999.0, -9998), ("uint8", 255.0, 254)],
)
def test_a_result_never_stands_for_no_data_by_chance(dtype: str, nodata: float, neighbour: int) -> None:
    image = np.full((1, 2, 1), nodata).astype(dtype)
    without_data(image, np.array([[[True], [False]]]), nodata=nodata)
    np.testing.assert_array_equal(image.ravel(), [neighbour, nodata])


def test_floats_have_nan_where_nothing_else_stands_for_no_data() -> None:
    image = np.ones((1, 3, 1), np.float32)
    without_data(image, np.array([[[True], [False], [True]]]), nodata=None)
    np.testing.assert_array_equal(image.ravel(), [1, np.nan, 1])
    zero = np.zeros((1, 2, 1), np.float32)
    without_data(zero, np.array([[[True], [False]]]), nodata=0.0)
    assert 0 < zero[0, 0, 0] < 1e-40 and zero[0, 1, 0] == 0
