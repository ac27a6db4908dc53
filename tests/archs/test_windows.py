"""The geometry of windows, against torch's own unfolding."""

import pytest
import torch
import torch.nn.functional as F
from tiny_nets import noise

from sr.archs.windows import cut_overlapping_windows, cut_windows, join_windows, shift_mask


def test_windows_are_cut_row_after_row_and_joined_again() -> None:
    picture = torch.arange(4 * 6).reshape(1, 4, 6, 1)
    windows = cut_windows(picture, 2)
    assert windows.shape == (1, 6, 4, 1)
    assert windows[0, 1].flatten().tolist() == [2, 3, 8, 9]
    assert torch.equal(join_windows(windows, size=2, height=4, width=6), picture)


@pytest.mark.parametrize(("size", "reach"), [(4, 1), (4, 2), (6, 0)])
def test_overlapping_windows_are_an_unfolding(size: int, reach: int) -> None:
    picture = noise(2, 12, 24, 3)
    side = size + 2 * reach
    unfolded = F.unfold(picture.movedim(3, 1), side, stride=size, padding=reach)
    expected = unfolded.reshape(2, 3, side * side, -1).permute(0, 3, 2, 1)
    assert torch.equal(cut_overlapping_windows(picture, size, reach=reach), expected)


def test_only_the_parts_of_a_rolled_picture_see_each_other() -> None:
    mask = shift_mask(4, 8, window=(4, 4))
    assert mask.shape == (2, 16, 16)
    assert set(mask.unique().tolist()) == {-100, 0}
    # In the single row of windows the upper half and the rolled lower half are strangers; so are, in the last window,
    # left and right.
    strangers = (mask < 0).sum((1, 2))
    assert strangers.tolist() == [2 * 8 * 8, 16 * 16 - 4 * 4 * 4]


def test_a_window_that_was_rolled_together_sees_each_of_its_parts_alone() -> None:
    mask = shift_mask(4, 8, window=(2, 4))
    assert mask.shape == (4, 8, 8)
    assert not mask[0].any()
    # In the last window each corner of 1 x 2 pixels is from another border.
    corners = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    assert torch.equal(mask[3] == 0, corners[:, None] == corners)
    assert mask.min() == -100
