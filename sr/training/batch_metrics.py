"""The metric of the patches that are trained on."""

from collections.abc import Container

import torch
from torch import Tensor

from sr.metrics.quantity import Metric, measure


@torch.no_grad()
def batch_metrics(metric: Metric, *, sr: Tensor, hr: Tensor, losses: Container[str]) -> dict[str, Tensor]:
    """The metric's means over a batch of patches, by name.

    Args:
        metric: the metric of validation.
        sr: (N, C, H, W) the generated patches, before the update.
        hr: (N, C, H, W) in [0, 1].
        losses: names that are taken by losses; a metric of the same name is left out.

    Returns:
        Nothing where the patches are too small for the metric.
    """
    if min(hr.shape[-2:]) < metric.smallest:
        return {}
    values = measure(metric, sr.float(), hr)
    return {name: value.mean() for name, value in values.items() if name not in losses}
