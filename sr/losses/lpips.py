"""LPIPS as a loss."""

from collections.abc import Sequence

from torch import Tensor

from sr.features.hidden import Hiding
from sr.features.lpips import LPIPS
from sr.losses.comparable import comparable
from sr.losses.without_weights import band_key, key, otherwise
from sr.ops.three_bands import check_bands, checked_bands, three_of


class LPIPSLoss(Hiding):
    """mean over the batch of LPIPS(sr, hr)

    Source and formula: `sr.features.lpips.LPIPS` (Zhang et al., CVPR 2018). Authors train with VGG16, whose gradients
    are smoother than those of AlexNet, and measure with AlexNet. The net is invisible to checkpoints and to DDP.

    Shapes: `sr` and `hr` (N, 3, H, W), RGB in [0, 1]; returns a scalar.

    Args:
        net: vgg16, alexnet or squeezenet.
        weights: a file of the net in torchvision's names; None for torch's cache, and else a download.
        bands: three bands, counted from 0, that the net sees as red, green and blue; None for images that are RGB.

    Raises:
        ValueError: see `sr.features.lpips.LPIPS`; images of different shapes.
        FileNotFoundError: no weights are found.
    """

    def __init__(
        self, *, net: str = "vgg16", weights: str | None = None, bands: Sequence[int] | None = None
    ) -> None:
        super().__init__(LPIPS(net=net, weights=weights, key=key("lpips"), otherwise=otherwise("lpips")))
        self.bands = checked_bands(bands, key=band_key("lpips"))

    def check_channels(self, channels: int) -> None:
        """Raises ValueError where images of so many channels do not have the bands that the net sees."""
        check_bands(self.bands, channels=channels, key=band_key("lpips"))

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        sr, hr = (three_of(each, self.bands, key=band_key("lpips")) for each in (sr, hr))
        distances: Tensor = self.hidden(*comparable(sr, hr))
        return distances.mean()
