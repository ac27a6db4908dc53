"""How strong the edges of a super-resolved image are beside those of the original."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from sr.metrics.quantity import NEITHER, Quantity
from sr.ops.color import luma

NAME = "sharpness"
WORDS = (
    "mean gradient magnitude of SR's luma divided by that of HR's (1: as sharp as HR; no perceptual metric)"
)


class Sharpness:
    """`gradient_sharpness` of the pixels that PSNR sees, as a measure of an evaluation.

    Args:
        prepare: images -> the pixels that are compared, in [0, 1]; that of `sr.metrics.protocol.Protocol`.
    """

    smallest = 2
    quantities = MappingProxyType({NAME: Quantity(better=NEITHER, digits=".3f")})

    def __init__(self, *, prepare: Callable[[Tensor], Tensor]) -> None:
        self.prepare = prepare

    def describe(self) -> dict[str, str]:
        return {NAME: WORDS}

    def __call__(self, sr: Tensor, hr: Tensor) -> Mapping[str, Tensor]:
        """(N, C, H, W) images, nominally in [0, 1] -> {"sharpness": (N,)}."""
        return {NAME: gradient_sharpness(self.prepare(sr), self.prepare(hr))}


@torch.no_grad()
def gradient_sharpness(sr: Tensor, hr: Tensor) -> Tensor:
    """(N, C, H, W) images in [0, 1] -> (N,): below 1 is blurred, above 1 sharper, or noisier, than the original.

    The mean over the pixels of the length of (right - left, lower - upper), on luma or, of images that are not RGB, on
    the mean of the channels. No perceptual metric: noise and ringing raise it as detail does. It stands in where no
    network that judges images is at hand, to show which way an interpolation moves.

    Raises:
        ValueError: an original has no edge at all.
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
