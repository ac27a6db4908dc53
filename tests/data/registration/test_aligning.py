"""Aligned pairs: what is kept, what has no data, and that the two then lie over each other."""

import numpy as np
import pytest
from shifted_pairs import pair

from sr.data.registration.aligning import aligned
from sr.data.registration.alignment import measure_pair
from sr.data.registration.moving import Span, span
from sr.data.registration.side import Side


def spans(down: float, right: float, hr: np.ndarray, lr: np.ndarray) -> tuple[Span, Span]:
    rows, columns = (
        span(move, hr=hr.shape[axis], lr=lr.shape[axis], scale=4) for axis, move in enumerate((down, right))
    )
    return rows, columns


def test_a_shifted_pair_lies_over_each_other() -> None:
    hr, lr = pair(0.4, -1.3)
    found = measure_pair(Side(hr), Side(lr), scale=4)
    rows, columns = spans(found.down, found.right, hr, lr)
    new_hr, new_lr = aligned(Side(hr), Side(lr), rows=rows, columns=columns)
    assert new_hr.size == (4 * new_lr.size[0], 4 * new_lr.size[1]) and new_lr.size == (127, 126)
    np.testing.assert_array_equal(new_lr.values, lr[1:, :126])
    assert measure_pair(new_hr, new_lr, scale=4).distance < 0.02
    true_hr, _ = pair(0.0, 0.0)
    assert true_hr.std() == pytest.approx(new_hr.values.std(), rel=0.03)  # it is not blurred


def test_an_aligned_pair_is_cut_to_whole_lr_pixels_and_nothing_else() -> None:
    hr, lr = pair()
    more = np.pad(hr, ((0, 3), (0, 1), (0, 0)), mode="reflect")
    new_hr, new_lr = aligned(
        Side(more), Side(lr), **dict(zip(("rows", "columns"), spans(0, 0, more, lr), strict=True))
    )
    np.testing.assert_array_equal(new_hr.values, hr)
    np.testing.assert_array_equal(new_lr.values, lr)


@pytest.mark.parametrize("match", [False, True])
def test_no_data_moves_with_its_image(match: bool) -> None:
    hr, lr = pair(0.375, 0.0)
    hr, lr = hr.astype(np.int16), lr.astype(np.int16) + 50
    hr[100:140, 200:280] = -999
    hr[300, 300, 1] = -999
    lr[60:70, 90:100] = -999
    rows, columns = spans(0.375, 0.0, hr, lr)
    new_hr, new_lr = aligned(Side(hr, -999.0), Side(lr, -999.0), rows=rows, columns=columns, match=match)
    missing = new_hr.values == -999
    # 1.5 HR pixels down and 4 rows away: row 100 lies at 97.5, so that 97 has something of it, and 137 too.
    expected = np.zeros(missing.shape, bool)
    expected[97:138, 200:280] = True
    expected[297:299, 300, 1] = True
    np.testing.assert_array_equal(missing, expected)
    np.testing.assert_array_equal(new_lr.values, lr[1:])
    beside = new_hr.values[90:145, 190:290]
    assert beside[~missing[90:145, 190:290]].min() > (0 if not match else 30)  # -999 gets into no neighbour
    offset = (new_hr.values[~missing] - 50 * match).mean() - hr[hr != -999].mean()
    assert abs(offset) < 3


def test_no_value_stands_for_no_data_by_chance() -> None:
    hr, lr = pair(0.375, 0.0)
    assert (hr == 100).any()
    rows, columns = spans(0.375, 0.0, hr, lr)
    free = np.where(hr == 100, 101, hr).astype(np.uint8)
    plain, _ = aligned(Side(free), Side(lr), rows=rows, columns=columns)
    kept, _ = aligned(Side(free, 100.0), Side(lr), rows=rows, columns=columns)
    assert (plain.values == 100).any() and not (kept.values == 100).any()
    assert np.abs(plain.values.astype(int) - kept.values).max() == 1


def test_masks_and_transparency_move_too() -> None:
    hr, lr = pair(0.375, 0.0)
    mask = np.ones(hr.shape[:2], bool)
    mask[100:140, 200:280] = False
    hr[~mask] = 255
    rows, columns = spans(0.375, 0.0, hr, lr)
    lr_mask = np.ones(lr.shape[:2], bool)
    lr_mask[0] = False
    new_hr, new_lr = aligned(Side(hr, None, mask), Side(lr, None, lr_mask), rows=rows, columns=columns)
    assert new_hr.cover is not None and new_lr.cover is not None
    assert new_lr.cover.all()  # its first row is left away
    expected = np.ones(new_hr.size, bool)
    expected[97:138, 200:280] = False
    np.testing.assert_array_equal(new_hr.cover, expected)
    alpha = np.where(mask, 255, 0).astype(np.uint8)
    new_hr, _ = aligned(Side(hr, None, alpha), Side(lr), rows=rows, columns=columns)
    assert new_hr.cover is not None and new_hr.cover.dtype == np.uint8
    assert (new_hr.cover[85:90] == 255).all() and (new_hr.cover[101:134, 204:276] < 5).all()
    # What is hidden under it, white here, does not shine into what is seen.
    hole = np.s_[92:97, 210:270]
    assert np.abs(new_hr.values[hole].astype(float) - hr[np.s_[94:99, 210:270]]).mean() < 30
