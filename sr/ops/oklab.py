"""The perceptual colour space Oklab."""

import torch
from torch import Tensor

LMS_OF_RGB = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
LAB_OF_ROOTS = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
# The linear value of one step of 8 bits. Less counts as that: the cube root has an infinite gradient at 0, and here at
# most 74, or 6 per unit of sRGB.
DARKEST = 1 / 255 / 12.92


def oklab(images: Tensor) -> Tensor:
    """(N, 3, H, W) sRGB, clamped to [0, 1] -> (N, 3, H, W): L in [0, 1] (0.067 for black), a and b about within 0.4.

    Source: Ottosson, "A perceptual color space for image processing", 2020, with the matrices for linear sRGB.
    Responses l, m, s below one step of 8 bits count as one step, so that all gradients are finite. a is green to red,
    b blue to yellow; both are 0 for gray.
    """
    responses = _mixed(_linear(images.clamp(0, 1)), LMS_OF_RGB)
    return _mixed(responses.clamp(min=DARKEST).pow(1 / 3), LAB_OF_ROOTS)


def _linear(images: Tensor) -> Tensor:
    """sRGB in [0, 1] (IEC 61966-2-1) -> linear light in [0, 1]."""
    return torch.where(images <= 0.04045, images / 12.92, ((images + 0.055) / 1.055).pow(2.4))


def _mixed(images: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    # No product of matrices, which autocast and TF32 would compute with ten bits or fewer.
    channels = images.unbind(dim=1)
    mixed = [
        sum((weight * channel for weight, channel in zip(row, channels, strict=True)), start=0 * channels[0])
        for row in matrix
    ]
    return torch.stack(mixed, dim=1)
