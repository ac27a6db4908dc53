"""The bias of every pair of pixels is the entry of their offset."""

import pytest
import torch

from sr.archs.position_bias import pairwise_bias


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 4), (3, 2), (8, 8)])
def test_each_pair_finds_its_offset_and_gives_back_its_gradient(height: int, width: int) -> None:
    offsets = (2 * height - 1) * (2 * width - 1)
    table = torch.arange(offsets * 2.0).reshape(offsets, 2).requires_grad_()
    bias = pairwise_bias(table, height=height, width=width)
    pixels = [(row, column) for row in range(height) for column in range(width)]
    expected = [
        [
            (here[0] - there[0] + height - 1) * (2 * width - 1) + here[1] - there[1] + width - 1
            for there in pixels
        ]
        for here in pixels
    ]
    places = torch.tensor(expected)
    assert torch.equal(bias, table[places].permute(2, 0, 1))
    weight = torch.arange(float(bias.numel())).reshape(bias.shape)
    (found,) = torch.autograd.grad((weight * bias).sum(), table, retain_graph=True)
    (looked_up,) = torch.autograd.grad((weight * table[places].permute(2, 0, 1)).sum(), table)
    torch.testing.assert_close(found, looked_up)
