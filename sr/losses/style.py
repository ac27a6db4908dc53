"""The distance between the styles of two images."""

import torch
from torch import Tensor

from sr.losses.comparable import at_least_float32
from sr.losses.perceptual import FeatureLoss


class StyleLoss(FeatureLoss):
    """sum over layers l of weight_l * mean |G(phi_l(sr)) - G(phi_l(hr))|, G(f) = f f^T / (C H W)

    G is the Gram matrix of a layer's C channels: which features occur together, wherever they are. Source: Gatys et
    al., CVPR 2016, sec. 2.2, with the normalisation of Johnson et al., ECCV 2016, eq. 3; the mean of absolute
    differences is that of the field's super-resolution code.

    Shapes and arguments: see `FeatureLoss`.
    """

    term = "style"

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        distances = [
            weight * (gram(own) - gram(wanted)).abs().mean() for weight, own, wanted in self.features(sr, hr)
        ]
        return torch.stack(distances).sum()


def gram(features: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, C), in at least float32."""
    flat = at_least_float32(features.flatten(2))
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])
