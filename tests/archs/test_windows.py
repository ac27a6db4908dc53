"""The geometry of windows, against lookups by index and torch's own unfolding."""

import pytest
import torch
import torch.nn.functional as F
from tiny_nets import noise

from sr.archs.windows import (
    cut_overlapping_windows,
    cut_windows,
    join_windows,
    relative_bias,
    relative_index,
    shift_mask,
)


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


@pytest.mark.parametrize(("queries", "keys"), [(2, 2), (7, 7), (4, 6), (16, 24), (2, 4)])
def test_biases_are_those_of_the_index(queries: int, keys: int) -> None:
    table = noise((queries + keys - 1) ** 2, 3).requires_grad_()
    looked_up = table[relative_index(queries, keys)].movedim(2, 0)
    bias = relative_bias(table, queries=queries, keys=keys)
    assert torch.equal(bias, looked_up)
    weight = noise(*bias.shape)
    (expected,) = torch.autograd.grad((looked_up * weight).sum(), table)
    (found,) = torch.autograd.grad((bias * weight).sum(), table)
    torch.testing.assert_close(found, expected)


def test_the_published_index_counts_from_key_to_query() -> None:
    index = relative_index(8, 8)
    # Neighbours in a row differ by one, in a column by the 15 distances of a row; the first entry is that of the
    # largest distance upwards.
    assert (index[0, 0], index[1, 0], index[8, 0], index[0, 63], index[63, 0]) == (112, 113, 127, 0, 224)


def test_only_the_parts_of_a_rolled_picture_see_each_other() -> None:
    mask = shift_mask(4, 8, size=4)
    assert mask.shape == (2, 16, 16)
    assert set(mask.unique().tolist()) == {-100, 0}
    # In the single row of windows the upper half and the rolled lower half are strangers; so are, in the last window,
    # left and right.
    strangers = (mask < 0).sum((1, 2))
    assert strangers.tolist() == [2 * 8 * 8, 16 * 16 - 4 * 4 * 4]
