"""Skipping an iteration in which a loss or a gradient is not finite: the optimizers do not step, or without effect.

One bad batch, or an overflow on one process, must neither destroy the weights nor end a run of days.
`sr.training.consensus` decides whether the numbers of all processes are finite, `SRModule.training_step` asks it, and
`sr.callbacks.divergence` ends the run, or takes it back to a checkpoint, after too many bad iterations in a row.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from sr.training.averaged_weights import switches


def skips_on_device(optimizers: Sequence[Optimizer], device: torch.device) -> bool:
    """Whether the device itself can keep bad numbers from the weights, so that the CPU need not wait for the answer.

    On a CPU there is nothing to wait for. torch's fused optimizers heed `found_inf`. Going to averaged weights and back
    rounds, so the host has to know whether to.
    """
    fused = all(group.get("fused") for optimizer in optimizers for group in optimizer.param_groups)
    return device.type == "cuda" and fused and not any(map(switches, optimizers))


def may_step(optimizers: Sequence[Optimizer], *, unless: Tensor, on_device: bool) -> bool:
    """Whether the optimizers are to step: a bad iteration must change neither a weight nor a state.

    A step without gradients would do for torch's optimizers, but others count it.

    Args:
        optimizers: the optimizers of this iteration.
        unless: 1.0 if the iteration is good, else 0.0.
        on_device: the answer of `skips_on_device`; the optimizers then step without effect in a bad iteration.
    """
    if on_device:
        for optimizer in optimizers:
            optimizer.found_inf = 1 - unless  # type: ignore[attr-defined]
        return True
    return bool(unless)
