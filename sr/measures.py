"""What an evaluation computes of each image beside its protocol."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from sr.metrics import protocol
from sr.metrics.perceptual import Perceptual
from sr.metrics.sharpness import Sharpness


class Measure(Protocol):
    """Metrics of one image: SR and HR, (1, C, H, W), nominally in [0, 1] -> metric -> (1,)."""

    @property
    def smallest(self) -> int: ...  # height and width that an image needs
    def describe(self) -> Mapping[str, Any]: ...  # what is computed, in words
    def __call__(self, sr: Tensor, hr: Tensor) -> Mapping[str, Tensor]: ...


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
        ValueError: the images do not have the channels that a metric needs, or a name is unknown.
        PerceptualMetricError: see `sr.metrics.perceptual`.
    """
    metrics.check_channels(channels)
    if perceptual:
        if channels != 3:
            raise ValueError(f"perceptual={list(perceptual)} needs RGB images, got {channels} channels")
        nets = Perceptual(
            names=perceptual, prepare=metrics.prepare, crop_border=metrics.crop_border, device=device
        )
        return [metrics, nets]
    return [metrics, Sharpness(prepare=metrics.prepare)] if sweep else [metrics]
