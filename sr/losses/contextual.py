"""The contextual loss: images are alike when their features are, wherever in the image each of them is."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sr.losses.perceptual import FeatureLoss

_TINY = 1e-5


class ContextualLoss(FeatureLoss):
    """sum over layers l of weight_l * -log CX(phi_l(sr), phi_l(hr)),  CX(X, Y) = mean_j max_i CX_ij

    CX_ij = w_ij / sum_k w_ik, w_ij = exp((1 - d_ij / (min_k d_ik + 1e-5)) / h), and d_ij is the cosine distance
    between feature i of sr and feature j of hr, both taken relative to the mean feature of hr. Features need not lie
    at the same place, so that pairs that are not quite aligned still train. Source: Mechrez et al., "The Contextual
    Loss for Image Transformation with Non-Aligned Data", ECCV 2018, eq. 1 to 5.

    It compares every position with every other: memory grows with the fourth power of the image's side. relu4_4 of
    VGG19 has one position for 8 x 8 pixels.

    Shapes: see `FeatureLoss`.

    Args:
        layers: the weight of each layer; None stands for {relu3_4: 1.0, relu4_4: 1.0}.
        bandwidth: h, above 0: small values let only the nearest feature count.
        net: see `FeatureLoss`.
        weights: see `FeatureLoss`.
        resize: see `FeatureLoss`.
        bands: see `FeatureLoss`.

    Raises:
        ValueError: `bandwidth` is not above 0, and what `FeatureLoss` refuses.
        FileNotFoundError: no weights are found.
    """

    term = "contextual"

    def __init__(
        self,
        *,
        layers: Mapping[str, float] | None = None,
        bandwidth: float = 0.5,
        net: str | nn.Module = "vgg19",
        weights: str | None = None,
        resize: int | None = None,
        bands: Sequence[int] | None = None,
    ) -> None:
        if not (math.isfinite(bandwidth) and bandwidth > 0):
            raise ValueError(f"bandwidth={bandwidth} must be finite and greater than 0")
        layers = {"relu3_4": 1.0, "relu4_4": 1.0} if layers is None else layers
        super().__init__(layers=layers, net=net, weights=weights, resize=resize, bands=bands)
        self.bandwidth = bandwidth

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        distances = [
            weight * -contextual_similarity(own, wanted, bandwidth=self.bandwidth).log().mean()
            for weight, own, wanted in self.features(sr, hr)
        ]
        return torch.stack(distances).sum()


def contextual_similarity(own: Tensor, wanted: Tensor, *, bandwidth: float) -> Tensor:
    """CX of two feature maps: (N, C, h, w) twice -> (N,) in (0, 1], in at least float32."""
    dtype = torch.promote_types(own.dtype, torch.float32)
    x, y = own.flatten(2).to(dtype), wanted.flatten(2).to(dtype)
    centre = y.mean(dim=(0, 2), keepdim=True)
    x, y = (nn.functional.normalize(each - centre, dim=1) for each in (x, y))
    distance = (1 - x.transpose(1, 2) @ y).clamp(min=0)  # (N, i, j)
    nearest = distance.amin(dim=2, keepdim=True)
    affinity = ((1 - distance / (nearest + _TINY)) / bandwidth).softmax(dim=2)  # w_ij / sum_k w_ik
    return affinity.amax(dim=1).mean(dim=1)
