"""LPIPS as a loss."""

from torch import Tensor

from sr.features.hidden import Hiding
from sr.features.lpips import LPIPS
from sr.losses.comparable import comparable
from sr.losses.without_weights import key, otherwise


class LPIPSLoss(Hiding):
    """mean over the batch of LPIPS(sr, hr)

    Source and formula: `sr.features.lpips.LPIPS` (Zhang et al., CVPR 2018). Authors train with VGG16, whose gradients
    are smoother than those of AlexNet, and measure with AlexNet. The net is invisible to checkpoints and to DDP.

    Shapes: `sr` and `hr` (N, 3, H, W), RGB in [0, 1]; returns a scalar.

    Args:
        net: vgg16, alexnet or squeezenet.
        weights: a file of the net in torchvision's names; None for torch's cache, and else a download.

    Raises:
        ValueError: see `sr.features.lpips.LPIPS`; images of different shapes.
        FileNotFoundError: no weights are found.
    """

    def __init__(self, *, net: str = "vgg16", weights: str | None = None) -> None:
        super().__init__(LPIPS(net=net, weights=weights, key=key("lpips"), otherwise=otherwise("lpips")))

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        distances: Tensor = self.hidden(*comparable(sr, hr))
        return distances.mean()
