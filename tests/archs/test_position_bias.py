"""The bias of every pair of pixels is the entry at the published index, and gives back its gradient."""

import pytest
import torch
from tiny_nets import noise
from torch import Tensor

from sr.archs.position_bias import offsets, overlap_bias, overlap_indices, pair_indices, pairwise_bias


def check_lookup(bias: Tensor, table: Tensor, index: Tensor) -> None:
    looked_up = table[index].movedim(2, 0)
    assert torch.equal(bias, looked_up)
    weight = noise(*bias.shape)
    (expected,) = torch.autograd.grad((looked_up * weight).sum(), table)
    (found,) = torch.autograd.grad((bias * weight).sum(), table)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("window", [(1, 1), (1, 4), (3, 2), (7, 7)])
def test_pairs_of_a_window(window: tuple[int, int]) -> None:
    table = noise(len(offsets(window)), 3).requires_grad_()
    check_lookup(pairwise_bias(table, window), table, pair_indices(window))


@pytest.mark.parametrize(("queries", "keys"), [(4, 6), (16, 24), (2, 4)])
def test_pairs_of_a_window_and_a_larger_one(queries: int, keys: int) -> None:
    table = noise((queries + keys - 1) ** 2, 3).requires_grad_()
    bias = overlap_bias(table, queries=queries, keys=keys)
    check_lookup(bias, table, overlap_indices(queries, keys))


def test_the_index_of_a_pair_leads_to_its_offset() -> None:
    window = (3, 2)
    pixels = torch.cartesian_prod(torch.arange(3.0), torch.arange(2.0))
    expected = pixels[:, None] - pixels[None]
    assert torch.equal(offsets(window)[pair_indices(window)], expected)


def test_the_published_index_counts_from_key_to_query() -> None:
    index = pair_indices((8, 8))
    # Neighbours in a row differ by one, in a column by the 15 distances of a row; the first entry is that of the
    # largest distance upwards.
    assert (index[0, 0], index[1, 0], index[8, 0], index[0, 63], index[63, 0]) == (112, 113, 127, 0, 224)


def test_the_published_index_of_a_larger_window_begins_at_the_end_of_the_table() -> None:
    """Two pixels on a side, four around them: 5 offsets in a row, and -1 and -2 for what begins before the window."""
    index = overlap_indices(2, 4)
    assert (index[0, 0], index[0, 1], index[3, 0], index[0, 15]) == (-6, -5, -12, 12)
