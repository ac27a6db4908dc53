"""Stochastic depth (Huang et al., ECCV 2016): in training, branches of a residual net are left out at random."""

from collections.abc import Sequence

import torch
from torch import Tensor


def rising_rates(highest: float, count: int) -> list[float]:
    """Rates of `count` blocks, from 0 at the first to `highest` at the last (Huang et al., sec. 3, "linear decay").

    Raises:
        ValueError: `highest` is not in [0, 1).
    """
    if not 0 <= highest < 1:
        raise ValueError(f"drop_path_rate={highest} must be at least 0 and less than 1")
    return [highest * number / max(count - 1, 1) for number in range(count)]


def gains_of_groups(
    rates: Sequence[float], depths: Sequence[int], *, features: Tensor, training: bool
) -> Sequence[Tensor | None]:
    """For each group of `depths` blocks what `draw_gains` draws for two branches; None where nothing is left out."""
    if not training or max(rates) == 0:
        return [None] * len(depths)
    return torch.split(draw_gains(rates, branches=2, features=features), list(depths))


def draw_gains(rates: Sequence[float], *, branches: int, features: Tensor) -> Tensor:
    """The factors of the branches of all blocks: (blocks, branches, N, 1, 1, 1), of the type of `features` (N, ...).

    A branch of a sample gets 0 with the rate of its block, and otherwise the factor that keeps the mean. They are drawn
    for the whole net at once, from torch's global generator, so that a block draws nothing when it is run again or
    compiled.
    """
    keep = torch.tensor([1 - rate for rate in rates], device=features.device).reshape(-1, 1, 1)
    drawn = torch.rand(len(rates), branches, features.shape[0], device=features.device) < keep
    return (drawn / keep).to(features.dtype)[..., None, None, None]


def kept(branch: Tensor, gains: Tensor | None, number: int) -> Tensor:
    """The branch of this number of a block, times its part of the `gains` of the block where there are some."""
    return branch if gains is None else gains[number] * branch
