"""HR on the grid of LR: which part remains, and its pixels."""

import cv2
import numpy as np
import pytest
from helpers import picture
from shifted_pairs import moved_by_fourier

from sr.data.registration.moving import Span, as_type, cropped, moved, moved_mask, span


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_a_span_is_the_largest_common_part(scale: int) -> None:
    rng = np.random.default_rng(scale)
    for _ in range(200):
        lr, rest = int(rng.integers(10, 40)), int(rng.integers(scale))
        hr, shift = lr * scale + rest, float(rng.uniform(-6, 6))
        found = span(shift, hr=hr, lr=lr, scale=scale)
        last = found.origin + found.count * scale - 1
        assert found.origin >= 0 and last <= hr - 1  # no pixel comes from beyond HR
        assert found.start >= 0 and found.start + found.count <= lr
        # HR pixel `origin` lies at the upper border of LR pixel `start`, up to the tenth of a pixel that is left away.
        assert found.origin == pytest.approx((found.start - shift) * scale, abs=0.1)
        # One LR pixel more on either side would not be there in both.
        assert found.start == 0 or found.origin - scale < 0
        assert found.start + found.count == lr or last + scale > hr - 1


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a shift of 11 LR pixels leaves nothing of 10 in common$"):
        span(11, hr=40, lr=10, scale=4)


def test_a_movement_by_whole_pixels_changes_none() -> None:
    image = picture(48, 64)
    rows, columns = (
        span(0.77, hr=48, lr=12, scale=4),
        span(-1.52, hr=64, lr=16, scale=4),
    )  # 3.08 and -6.08 HR pixels
    assert (rows, columns) == (Span(1, 11, 1.0, 4), Span(0, 14, 6.0, 4))
    np.testing.assert_array_equal(moved(image, rows, columns), image[1:45, 6:62])
    lr = picture(12, 16)
    np.testing.assert_array_equal(cropped(lr, rows, columns), lr[1:12, :14])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_a_movement_between_pixels_is_that_of_the_shift_theorem(dtype: str) -> None:
    smooth = cv2.GaussianBlur(picture(96, 80).astype(np.float64), (0, 0), 2) * (
        100 if dtype != "uint8" else 1
    )
    image = as_type(smooth - (9000 if dtype in ("int16", "float32") else 0), np.dtype(dtype))
    rows, columns = span(0.375, hr=96, lr=24, scale=4), span(-0.2, hr=80, lr=20, scale=4)
    found = moved(image, rows, columns)
    assert found.dtype == image.dtype and found.shape == (92, 76, 3)
    mirrored = np.pad(image.astype(np.float64), ((0, 96), (0, 80), (0, 0)), mode="symmetric")
    expected = moved_by_fourier(mirrored, 1.5, -0.8)[4:96, 0:76]
    inside = np.s_[4:-4, 4:-4]
    level = 1 if dtype == "uint8" else 100
    assert np.abs(found[inside].astype(np.float64) - expected[inside]).max() < 1.1 * level
    # Without the movement the difference is many times as large.
    assert np.abs(image[4:96, 0:76][inside].astype(np.float64) - expected[inside]).max() > 20 * level


def test_values_stay_in_their_type() -> None:
    board = np.where(np.indices((32, 32)).sum(0) // 4 % 2, 255, 0).astype(np.uint8)[:, :, None]
    rows = columns = span(0.125, hr=32, lr=8, scale=4)
    found = moved(board, rows, columns)
    assert found.min() == 0 and found.max() == 255  # a spline goes beyond; nothing wraps around
    assert as_type(np.array([-3.0, 254.5, 260.0, 1.5]), np.dtype(np.uint8)).tolist() == [0, 254, 255, 2]


def test_a_pixel_between_others_has_data_where_all_of_them_have() -> None:
    valid = np.ones((16, 16, 2), bool)
    valid[5, 7, 0] = False
    half = span(0.125, hr=16, lr=4, scale=4)
    whole = span(0.0, hr=16, lr=4, scale=4)
    lost = np.argwhere(~moved_mask(valid, half, half))
    # HR pixel (5, 7) lies at (5.5, 7.5), beside four pixels of the result, which begins at row and column 4.
    assert lost.tolist() == [[1, 3, 0], [1, 4, 0], [2, 3, 0], [2, 4, 0]]
    assert np.argwhere(~moved_mask(valid, half, whole)).tolist() == [[1, 7, 0], [2, 7, 0]]
    np.testing.assert_array_equal(moved_mask(valid, whole, whole), valid)
