"""The metrics that an evaluation computes: those of the protocol, and others beside them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch

from sr.metrics import protocol
from sr.metrics.perceptual import Perceptual
from sr.metrics.quantity import Metric, quantities_of
from sr.metrics.sharpness import Sharpness


class Measure(Metric, Protocol):
    """A metric that describes how its values are computed."""

    def describe(self) -> Mapping[str, str]: ...  # name -> one sentence on how it is computed


def pick_measures(
    metric: protocol.Protocol,
    *,
    perceptual: Sequence[str],
    sweep: bool,
    channels: int,
    device: torch.device,
) -> list[Measure]:
    """The protocol, and after it the perceptual metrics. A sweep without perceptual metrics gets gradient sharpness.

    Args:
        metric: the protocol.
        perceptual: the names of the perceptual metrics.
        sweep: whether interpolations between two nets are compared.
        channels: the number of channels of the images.
        device: the device of the perceptual metrics' nets.

    Raises:
        ValueError: a metric needs another number of channels, a name is unknown, or `metric` is not a
            `sr.metrics.protocol.Protocol` or does not say which direction of its values is better.
        PerceptualMetricError: see `sr.metrics.perceptual`.
    """
    quantities_of(metric)
    if not isinstance(metric, protocol.Protocol):
        raise ValueError(
            f"metric={type(metric).__qualname__}: an evaluation needs a subclass of sr.metrics.protocol.Protocol,"
            " which says how pixels are prepared and what was measured"
        )
    metric.check_channels(channels)
    if perceptual:
        if channels != 3:
            raise ValueError(f"perceptual={list(perceptual)} needs RGB images, got {channels} channels")
        nets = Perceptual(
            names=perceptual, prepare=metric.prepare, crop_border=metric.crop_border, device=device
        )
        return [metric, nets]
    return [metric, Sharpness(prepare=metric.prepare)] if sweep else [metric]
