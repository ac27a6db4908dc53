"""LPIPS: the distance of two images in the features of an ImageNet net, weighted as people judge."""

import torch
from torch import Tensor, nn

from sr.features.imagenet import ImageNetFeatures
from sr.features.private_torchmetrics import lpips_file
from sr.ops.weight_file import read_weight_file

LAYERS = {
    "alexnet": ("relu1", "relu2", "relu3", "relu4", "relu5"),
    "vgg16": ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"),
    "squeezenet": ("relu1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9"),
}
_TINY = 1e-8  # under the root of a norm, which has no gradient at 0


class LPIPS(nn.Module):
    """sum over layers of mean over positions of sum over channels c of w_c (a_c - b_c)^2

    a and b are the features of the two images, divided at each position by their Euclidean norm over the channels.
    Source: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018, eq. 1,
    with the weights w of version 0.1. 0 for equal images; lower is more alike.

    Shapes: (N, 3, H, W) RGB in [0, 1] twice -> (N,).

    Args:
        net: alexnet (as in published tables), vgg16 or squeezenet.
        weights: see `sr.features.imagenet.ImageNetFeatures`, as `key` and `otherwise`.

    Raises:
        ValueError: `net` is unknown; see `ImageNetFeatures` for its files and for images.
        FileNotFoundError: there is no file of weights and none can be downloaded.
    """

    def __init__(
        self, *, net: str = "alexnet", weights: str | None = None, key: str = "weights", otherwise: str = ""
    ) -> None:
        super().__init__()
        if net not in LAYERS:
            raise ValueError(f"net={net}: choose one of {', '.join(LAYERS)}")
        self.features = ImageNetFeatures(
            net=net, layers=LAYERS[net], weights=weights, key=key, otherwise=otherwise
        )
        linear = read_weight_file(lpips_file(net)).content
        for number, layer in enumerate(LAYERS[net]):
            self.register_buffer(f"linear_{layer}", linear[f"lin{number}.model.1.weight"].float())

    @property
    def min_size(self) -> int:
        """The smallest height and width of an image."""
        return self.features.min_size

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        pairs = zip(self.features(a).items(), self.features(b).values(), strict=True)
        return torch.stack(
            [
                self._distance(one, other, weight=self.get_buffer(f"linear_{layer}"))
                for (layer, one), other in pairs
            ]
        ).sum(dim=0)

    @staticmethod
    def _distance(one: Tensor, other: Tensor, *, weight: Tensor) -> Tensor:
        difference = (_unit(one) - _unit(other)).square()
        return (weight * difference).sum(dim=1).mean(dim=(1, 2))


def _unit(features: Tensor) -> Tensor:
    return features / (features.square().sum(dim=1, keepdim=True) + _TINY).sqrt()
