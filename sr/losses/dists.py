"""DISTS as a loss."""

from torch import Tensor

from sr.features.dists import DISTS
from sr.features.hidden import Hiding
from sr.losses.comparable import comparable
from sr.losses.without_weights import key, otherwise


class DISTSLoss(Hiding):
    """mean over the batch of DISTS(sr, hr)

    Source and formula: `sr.features.dists.DISTS` (Ding et al., TPAMI 2020). Texture may be another than that of HR,
    as long as its statistics are the same. The net is invisible to checkpoints and to DDP.

    Shapes: `sr` and `hr` (N, 3, H, W), RGB in [0, 1]; returns a scalar.

    Args:
        weights: a file of VGG16 in torchvision's names; None for torch's cache, and else a download.

    Raises:
        ValueError: see `sr.features.dists.DISTS`; images of different shapes.
        FileNotFoundError: no weights are found.
    """

    def __init__(self, *, weights: str | None = None) -> None:
        super().__init__(DISTS(weights=weights, key=key("dists"), otherwise=otherwise("dists")))

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        distances: Tensor = self.hidden(*comparable(sr, hr))
        return distances.mean()
