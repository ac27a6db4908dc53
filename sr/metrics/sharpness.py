"""How strong the edges of a super-resolved image are, compared with those of the original."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from sr.metrics.color import luma
from sr.metrics.measure import Measure
from sr.metrics.quantity import NEITHER, Quantity

NAME = "sharpness"
WORDS = (
    "mean gradient magnitude of SR's luma divided by that of HR's (1: as sharp as HR; no perceptual metric)"
)


class Sharpness(Measure):
    """`gradient_sharpness` of the pixels that PSNR compares."""

    smallest = 2
    quantities = MappingProxyType({NAME: Quantity(better=NEITHER, digits=".3f", title="gradient sharpness")})

    def describe(self) -> dict[str, str]:
        return {NAME: WORDS}

    def __call__(self, sr: Tensor, hr: Tensor) -> Mapping[str, Tensor]:
        return {NAME: gradient_sharpness(sr, hr)}


@torch.no_grad()
def gradient_sharpness(sr: Tensor, hr: Tensor) -> Tensor:
    """(N, C, H, W) images in [0, 1] -> (N,): below 1 is more blurred, above 1 sharper or noisier than the original.

    The average gradient of SR divided by that of HR; the average gradient is a measure of the field of image fusion
    (Ma et al., "Infrared and visible image fusion methods and applications", Information Fusion 2019). The gradient
    is (right - left, lower - upper) of adjacent pixels, on luma or, for images that are not RGB, on the mean of the
    channels. This is not a perceptual metric: noise and ringing raise it as detail does. Without a perceptual metric
    it shows in which direction an interpolation changes the images.

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
