"""What an evaluation computes of each image beside its protocol."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch

from sr.metrics import protocol
from sr.metrics.perceptual import Perceptual
from sr.metrics.quantity import Metric, quantities_of
from sr.metrics.sharpness import Sharpness


class Measure(Metric, Protocol):
    """Metrics of one image at a time, which can say what they are."""

    def describe(self) -> Mapping[str, str]: ...  # name -> one sentence on how it is computed


def pick_measures(
    metrics: protocol.Protocol,
    *,
    perceptual: Sequence[str],
    sweep: bool,
    channels: int,
    device: torch.device,
) -> list[Measure]:
    """The protocol's metrics, then perceptual ones, or in a sweep without those the sharpness of edges.

    Raises:
        ValueError: the images do not have the channels that a metric needs, a name is unknown, or the protocol is none
            or does not say which way its values are better.
        PerceptualMetricError: see `sr.metrics.perceptual`.
    """
    quantities_of(metrics)
    if not isinstance(metrics, protocol.Protocol):
        raise ValueError(
            f"metric={type(metrics).__qualname__}: an evaluation needs a subclass of sr.metrics.protocol.Protocol,"
            " which says how pixels are prepared and what was measured"
        )
    metrics.check_channels(channels)
    if perceptual:
        if channels != 3:
            raise ValueError(f"perceptual={list(perceptual)} needs RGB images, got {channels} channels")
        nets = Perceptual(
            names=perceptual, prepare=metrics.prepare, crop_border=metrics.crop_border, device=device
        )
        return [metrics, nets]
    return [metrics, Sharpness(prepare=metrics.prepare)] if sweep else [metrics]
