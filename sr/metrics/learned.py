"""Distances in the features of nets trained on ImageNet, as further metrics: LPIPS and DISTS."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sr.features.dists import DISTS
from sr.features.lpips import LPIPS
from sr.metrics.measure import Measure
from sr.metrics.quantity import LOWER, Quantity
from sr.ops.three_bands import checked_bands, three_of


class _Distance(Measure):
    """A net (a, b) -> (N,) that follows the device of the images."""

    def __init__(
        self, name: str, net: LPIPS | DISTS, *, title: str, words: str, bands: Sequence[int] | None
    ) -> None:
        self.bands = checked_bands(bands, key=f"measure.{name}.bands")
        self.channels = 3 if self.bands is None else None
        self.name = name
        self.words = words if self.bands is None else f"{words}; of the bands {self.bands}, counted from 0"
        self.net: nn.Module = net.eval().requires_grad_(False)
        self.smallest = net.min_size
        self.quantities = {name: Quantity(better=LOWER, digits=".4f", title=title)}

    def describe(self) -> dict[str, str]:
        return {self.name: self.words}

    @torch.no_grad()
    def __call__(self, sr: Tensor, hr: Tensor) -> Mapping[str, Tensor]:
        self.net.to(sr.device)
        sr, hr = (three_of(each, self.bands, key=f"measure.{self.name}.bands").float() for each in (sr, hr))
        pairs = zip(torch.split(sr, 1), torch.split(hr, 1), strict=True)
        return {self.name: torch.cat([self.net(*pair) for pair in pairs])}


class LPIPSMetric(_Distance):
    """LPIPS, version 0.1: 0 for equal images, lower is better.

    Source and formula: `sr.features.lpips.LPIPS` (Zhang et al., CVPR 2018).

    Args:
        net: alexnet, as in published tables; vgg16 or squeezenet.
        weights: a file of the net in torchvision's names; None for torch's cache, and else a download.
        name: the name of the value in files and dashboards.
        bands: three bands, counted from 0, that the net sees as red, green and blue; None for images that are RGB.

    Raises:
        ValueError: `net` is unknown, or a file does not hold its weights.
        FileNotFoundError: no weights are found.
    """

    def __init__(
        self,
        *,
        net: str = "alexnet",
        weights: str | None = None,
        name: str = "lpips",
        bands: Sequence[int] | None = None,
    ) -> None:
        features = LPIPS(net=net, weights=weights, **_words(name))
        title = {"alexnet": "AlexNet", "vgg16": "VGG16", "squeezenet": "SqueezeNet"}[net]
        words = f"Zhang et al. 2018, version 0.1 on {title}, 8-bit RGB, same border; lower is better"
        super().__init__(
            name,
            features,
            title="LPIPS" if net == "alexnet" else f"LPIPS ({title})",
            words=words,
            bands=bands,
        )


class DISTSMetric(_Distance):
    """DISTS: 0 for equal images, lower is better.

    Source and formula: `sr.features.dists.DISTS` (Ding et al., IEEE TPAMI 2020). Images have the size they have; the
    authors' script shrinks them so that the shorter side is 256 pixels.

    Args:
        weights: a file of VGG16 in torchvision's names; None for torch's cache, and else a download.
        bands: three bands, counted from 0, that the net sees as red, green and blue; None for images that are RGB.

    Raises:
        ValueError: a file does not hold these weights.
        FileNotFoundError: no weights are found.
    """

    def __init__(self, *, weights: str | None = None, bands: Sequence[int] | None = None) -> None:
        words = "Ding et al. 2020 on VGG16, 8-bit RGB at full size, same border; lower is better"
        net = DISTS(weights=weights, **_words("dists"))
        super().__init__("dists", net, title="DISTS", words=words, bands=bands)


def _words(name: str) -> dict[str, str]:
    return {"key": f"measure.{name}.weights", "otherwise": f", or leave {name} out of measure"}
