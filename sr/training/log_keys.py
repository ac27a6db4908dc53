"""From the numbers of an iteration to the keys of the logs."""

import torch
from torch import Tensor

from sr.training.step_values import Scalars, StepValues


def log_keys(
    values: StepValues, *, means: Scalars, finite: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What is logged, by key.

    Args:
        values: the numbers of this iteration; its metrics and health are logged, as NaN if the iteration was bad.
        means: the means of terms, losses and logits over the iterations since the last log.
        finite: 1.0, or 0.0 if the iteration was bad.

    Returns:
        What the progress bar shows too, which is the losses, and everything else.
    """
    losses = values.losses.by_name()
    shown = {name: mean for name, mean in means.items() if name in losses}
    others = {name: mean for name, mean in means.items() if name not in losses}
    others |= _unless_bad(values.metrics, finite)
    health = _unless_bad(values.health, finite)
    return _under("train", shown), _under("train", others) | _under("health", health)


def _unless_bad(values: Scalars, finite: Tensor) -> dict[str, Tensor]:
    return {name: torch.where(finite > 0, value.float(), torch.nan) for name, value in values.items()}


def _under(group: str, values: Scalars) -> dict[str, Tensor]:
    return {f"{group}/{name}": value for name, value in values.items()}
