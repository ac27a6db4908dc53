"""The metric of the patches that are trained on."""

from collections.abc import Container

import torch
from torch import Tensor

from sr.metrics.quantity import Metric, measure


@torch.no_grad()
def batch_metrics(
    metric: Metric, *, sr: Tensor, hr: Tensor, losses: Container[str], valid: Tensor | None = None
) -> dict[str, Tensor]:
    """The metric's means over a batch of patches, by name.

    Args:
        metric: the metric of validation.
        sr: (N, C, H, W) the generated patches, before the update.
        hr: (N, C, H, W) in [0, 1].
        losses: names that are taken by losses; a metric of the same name is left out.
        valid: (N, C, H, W) bool, where HR has data; None where all of it has.

    Returns:
        Nothing where the patches are too small for the metric.
    """
    if min(hr.shape[-2:]) < metric.smallest:
        return {}
    values = measure(metric, sr.float(), hr, valid=valid)
    # A patch of which nothing is left has no value.
    mean = torch.mean if valid is None else torch.nanmean
    return {name: mean(value) for name, value in values.items() if name not in losses}
