"""How strong the edges of a super-resolved image are, compared with those of the original."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from sr.metrics.color import luma
from sr.metrics.quantity import NEITHER, Quantity

NAME = "sharpness"
WORDS = (
    "mean gradient magnitude of SR's luma divided by that of HR's (1: as sharp as HR; no perceptual metric)"
)


class Sharpness:
    """`gradient_sharpness` of the pixels that PSNR compares, as a metric of an evaluation.

    Args:
        prepare: images -> the pixels that are compared, in [0, 1], as `sr.metrics.protocol.Protocol.prepare`.
    """

    smallest = 2
    quantities = MappingProxyType({NAME: Quantity(better=NEITHER, digits=".3f", title="gradient sharpness")})

    def __init__(self, *, prepare: Callable[[Tensor], Tensor]) -> None:
        self.prepare = prepare

    def describe(self) -> dict[str, str]:
        return {NAME: WORDS}

    def __call__(self, sr: Tensor, hr: Tensor) -> Mapping[str, Tensor]:
        """(N, C, H, W) images, nominally in [0, 1] -> {"sharpness": (N,)}."""
        return {NAME: gradient_sharpness(self.prepare(sr), self.prepare(hr))}


@torch.no_grad()
def gradient_sharpness(sr: Tensor, hr: Tensor) -> Tensor:
    """(N, C, H, W) images in [0, 1] -> (N,): below 1 is more blurred, above 1 sharper or noisier than the original.

    The mean gradient magnitude of SR divided by that of HR. The gradient is (right - left, lower - upper) of adjacent
    pixels, on luma or, for images that are not RGB, on the mean of the channels. This is not a perceptual metric:
    noise and ringing raise it as detail does. Without a perceptual metric it shows in which direction an
    interpolation changes the images.

    Raises:
        ValueError: an original has a single colour.
    """
    own, original = _mean_gradient(sr), _mean_gradient(hr)
    if not bool((original > 0).all()):
        raise ValueError("sharpness has no meaning for an original of a single colour")
    return own / original


def _mean_gradient(images: Tensor) -> Tensor:
    gray = luma(images) if images.shape[1] == 3 else images.mean(dim=1, keepdim=True)
    right = gray[..., :-1, 1:] - gray[..., :-1, :-1]
    down = gray[..., 1:, :-1] - gray[..., :-1, :-1]
    return (right.square() + down.square()).sqrt().mean(dim=(1, 2, 3))
