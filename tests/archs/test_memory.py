"""The choice of what is kept for the backward pass."""

import torch
from torch import Tensor

from sr.archs.memory import run_block


def test_checkpoint_runs_the_block_twice_and_only_where_there_are_gradients() -> None:
    calls: list[bool] = []

    def block(features: Tensor, factor: float) -> Tensor:
        calls.append(True)
        return factor * features**2

    plain = torch.ones(2)
    assert torch.equal(run_block(block, plain, 3.0, memory="checkpoint"), 3 * plain**2)
    assert len(calls) == 1
    needed = torch.ones(2, requires_grad=True)
    run_block(block, needed, 3.0, memory="checkpoint").sum().backward()
    assert len(calls) == 3
