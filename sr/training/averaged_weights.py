"""Optimizers that have two versions of the weights: those they train, and averaged ones that are the result.

Schedule-free optimizers (Defazio et al., NeurIPS 2024) switch their parameters between the two with `train()` and
`eval()`; any optimizer that has both methods is taken for one. A net holds the averaged weights between iterations, so
that validation, the moving average, checkpoints and callbacks see no others, and the trained ones only from the
forward pass to the step. What is saved is therefore complete, whenever it is saved: a resumed run goes from the
averaged weights to the trained ones by the same operations as the run that was not interrupted.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeGuard, runtime_checkable

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, LRScheduler

from sr.ops.private_torch import AnyBatchNorm, parts_of


@runtime_checkable
class Switching(Protocol):
    """The methods of an optimizer with two versions of the weights."""

    train: Callable[[], None]
    eval: Callable[[], None]


def switches(optimizer: Optimizer) -> TypeGuard[Switching]:
    """Whether an optimizer has two versions of the weights."""
    return isinstance(optimizer, Switching)


class TrainedWeights:
    """Puts the trained weights into the parameters of the optimizers that have them, until `leave`.

    Args:
        optimizers: the optimizers that step in this iteration; those with one version of the weights are left alone.
    """

    @torch.no_grad()
    def __init__(self, optimizers: Sequence[Optimizer]) -> None:
        self._optimizers = [each for each in optimizers if isinstance(each, Switching)]
        self._before = [
            (parameter, parameter.clone())
            for each in optimizers
            if isinstance(each, Switching)
            for group in each.param_groups
            for parameter in group["params"]
        ]
        for optimizer in self._optimizers:
            optimizer.train()

    @torch.no_grad()
    def leave(self, *, stepped: bool) -> None:
        """Go to the averaged weights; without a step, to exactly those before, which switching would round."""
        for optimizer in self._optimizers:
            optimizer.eval()
        if not stepped:
            for parameter, before in self._before:
                parameter.copy_(before)


def check_schedule(optimizer: Optimizer, scheduler: LRScheduler, *, key: str) -> None:
    """Raises ValueError for a schedule of an optimizer whose average replaces schedules; `key` is the scheduler's."""
    *_, last = [scheduler, *parts_of(scheduler)]  # behind the warm-up
    constant = isinstance(last, ConstantLR) and (last.factor == 1 or not last.total_iters)
    if switches(optimizer) and not constant:
        raise ValueError(
            f"{key}={type(last).__name__}: {type(optimizer).__name__} averages its weights instead of lowering its"
            f" rate: write scheduler@{key}=constant"
        )


def check_net(optimizer: Optimizer, net: nn.Module, *, name: str) -> None:
    """Raises ValueError for a generator whose running statistics would belong to the trained weights.

    A discriminator (`name` = d) trains on the statistics of its batches, and is no result.
    """
    norms = any(isinstance(module, AnyBatchNorm) for module in net.modules())
    if name != "d" and norms and switches(optimizer):
        raise ValueError(
            f"{type(optimizer).__name__} does not suit {type(net).__name__}, which has batch norm: its running"
            " statistics would be those of other weights than the averaged ones. Choose another optimizer"
        )
