"""The distance between a discriminator's features of real and of generated images."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from sr.losses.comparable import at_least_float32


class FeatureMatchingLoss(nn.Module):
    """weight * sum over layers l of w_l * mean |D_l(x_r) - D_l(x_f)|, D_l = output of layer l of the discriminator.

    The features of real images are constant to the gradient, and the generator alone minimises it. A layer that a pass
    calls several times counts with the mean over its calls.

    Source: Wang et al., "High-resolution image synthesis and semantic manipulation with conditional GANs"
    (pix2pixHD), CVPR 2018, eq. 4, where all w_l are 1 and the sum goes over the layers of all discriminators. The idea
    is of Salimans et al., "Improved techniques for training GANs", NeurIPS 2016, sec. 3.1, who match the means of one
    layer over a batch; here an image is matched with its own HR.

    Args:
        weight: the weight of the term, 0 or more; 0 leaves it out.
        layers: the weights w_l of layers by the names of submodules of the discriminator, as {conv3: 1.0}. None takes
            the outputs of all convolutions but the last one's, before norm and activation, and of those with more than
            one channel, because a single channel is a map of logits; each with weight 1.

    Raises:
        ValueError: a weight is negative or not finite, or there is no layer.
    """

    def __init__(self, *, weight: float = 0.0, layers: Mapping[str, float] | None = None) -> None:
        super().__init__()
        key = "model.feature_matching"
        if layers is not None and not layers:
            raise ValueError(f"{key}.layers={{}} names no layer: write null for all convolutions")
        named = {"weight": weight, **{f"layers.{name}": value for name, value in (layers or {}).items()}}
        for name, value in named.items():
            if not 0 <= value < math.inf:
                raise ValueError(f"{key}.{name}={value} must be finite and at least 0")
        self.weight = weight
        self.layers = None if layers is None else dict(layers)

    def forward(
        self, *, real: Mapping[str, Sequence[Tensor]], fake: Mapping[str, Sequence[Tensor]]
    ) -> Tensor:
        """The weighted term, a scalar of at least float32.

        Args:
            real: the features of real images, layer -> one tensor for each call of the layer.
            fake: the features of generated images, of the same layers and shapes.
        """
        distances = []
        for name, wanted in real.items():
            pairs = zip(wanted, fake[name], strict=True)
            calls = [l1_loss(at_least_float32(f), at_least_float32(r.detach())) for r, f in pairs]
            distances.append((1.0 if self.layers is None else self.layers[name]) * torch.stack(calls).mean())
        return self.weight * torch.stack(distances).sum()
