"""Exponential moving average of a net's weights."""

import copy

import torch
from torch import nn

from sr.ops.private_torch import lerp_each


def ema_copy(net: nn.Module) -> nn.Module:
    """A frozen copy to average into: evaluation mode, no gradients."""
    return copy.deepcopy(net).eval().requires_grad_(False)


@torch.no_grad()
def update_ema(average: nn.Module, net: nn.Module, *, decay: float, iteration: int) -> None:
    """Move `average` towards `net`: average = d * average + (1 - d) * net with d = min(decay, (1 + n) / (10 + n)).

    The second form lets a young average forget the random start (TensorFlow's `ExponentialMovingAverage`); at a decay
    of .999 it ends at iteration n = 8,990. Buffers (running statistics) are copied.
    """
    weight = 1 - min(decay, (1 + iteration) / (10 + iteration))
    lerp_each([*average.parameters()], [*net.parameters()], weight)
    for mine, theirs in zip(average.buffers(), net.buffers(), strict=True):
        mine.copy_(theirs)
