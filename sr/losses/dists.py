"""DISTS as a loss."""

from collections.abc import Sequence

from torch import Tensor

from sr.features.dists import DISTS
from sr.features.hidden import Hiding
from sr.losses.comparable import comparable
from sr.losses.without_weights import band_key, key, otherwise
from sr.ops.three_bands import check_bands, checked_bands, three_of


class DISTSLoss(Hiding):
    """mean over the batch of DISTS(sr, hr)

    Source and formula: `sr.features.dists.DISTS` (Ding et al., TPAMI 2020). Texture may be another than that of HR,
    as long as its statistics are the same. The net is invisible to checkpoints and to DDP.

    Shapes: `sr` and `hr` (N, 3, H, W), RGB in [0, 1]; returns a scalar.

    Args:
        weights: a file of VGG16 in torchvision's names; None for torch's cache, and else a download.
        bands: three bands, counted from 0, that the net sees as red, green and blue; None for images that are RGB.

    Raises:
        ValueError: see `sr.features.dists.DISTS`; images of different shapes.
        FileNotFoundError: no weights are found.
    """

    def __init__(self, *, weights: str | None = None, bands: Sequence[int] | None = None) -> None:
        super().__init__(DISTS(weights=weights, key=key("dists"), otherwise=otherwise("dists")))
        self.bands = checked_bands(bands, key=band_key("dists"))

    def check_channels(self, channels: int) -> None:
        """Raises ValueError where images of so many channels do not have the bands that the net sees."""
        check_bands(self.bands, channels=channels, key=band_key("dists"))

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        sr, hr = (three_of(each, self.bands, key=band_key("dists")) for each in (sr, hr))
        distances: Tensor = self.hidden(*comparable(sr, hr))
        return distances.mean()
