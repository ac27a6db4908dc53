"""Skipping an iteration in which a loss or a gradient is not finite: the optimizers step without any effect.

One bad batch, or an overflow on one process, must neither destroy the weights nor end a run of days.
`sr.training.consensus` decides whether the numbers of all processes are finite, `SRModule.training_step` asks it, and
`sr.callbacks.divergence` ends the run, or takes it back to a checkpoint, after too many bad iterations in a row.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer


def skips_on_device(optimizers: Sequence[Optimizer], device: torch.device) -> bool:
    """Whether the device itself can keep bad numbers from the weights, so that the CPU need not wait for the answer.

    On a CPU there is nothing to wait for. torch's fused optimizers heed `found_inf`.
    """
    fused = all(group.get("fused") for optimizer in optimizers for group in optimizer.param_groups)
    return device.type == "cuda" and fused


def skip(optimizers: Sequence[Optimizer], *, unless: Tensor, on_device: bool) -> None:
    """Make the next step of the optimizers change nothing, neither a weight nor a momentum, if `unless` is 0.0.

    Args:
        optimizers: the optimizers that will step.
        unless: 1.0 if the iteration is good, else 0.0.
        on_device: the answer of `skips_on_device`.
    """
    if on_device:
        for optimizer in optimizers:
            optimizer.found_inf = 1 - unless  # type: ignore[attr-defined]
    elif not unless:
        for optimizer in optimizers:
            optimizer.zero_grad()  # one without gradients steps over everything
