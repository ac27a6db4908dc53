"""The distance between the features of two images."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.features.hidden import Hiding
from sr.features.imagenet import ImageNetFeatures
from sr.losses.pixel import L1Loss, MSELoss
from sr.losses.without_weights import band_key, key, otherwise
from sr.ops.three_bands import check_bands, checked_bands, three_of

_DISTANCES = {"l1": L1Loss, "l2": MSELoss}


class FeatureLoss(Hiding):
    """A loss that compares features of `sr` and `hr`; see its subclasses. No gradient flows to `hr`.

    Shapes: `sr` and `hr` (N, 3, H, W), RGB in [0, 1], or images with the chosen `bands`, large enough for the
    deepest layer (16 pixels for conv5_4 of VGG19); returns a scalar of at least float32.

    The net is invisible to checkpoints and to DDP (`sr.features.hidden`).

    Args:
        layers: the weight of each layer, as {conv5_4: 1.0}; `conv*` is a convolution before its activation, `relu*`
            after it. See `sr.features.stacks` for the names of each net.
        net: vgg19, vgg16, alexnet or squeezenet; or a net of your own, (N, 3, H, W) in [0, 1] -> {layer: features}.
        weights: a file of the net in torchvision's names; None for torch's cache, and else a download.
        resize: the side in pixels of the square that both images are resized to before (bilinear, antialiased); None
            takes them as they are.
        bands: three bands, counted from 0, that the net sees as red, green and blue; None for images that are RGB.

    Raises:
        ValueError: an unknown net or layer, a weight that is negative or not finite, `weights` beside a net of your
            own, images that are not RGB, too small or of different shapes, and weights that do not fit.
        FileNotFoundError: no weights are found.
    """

    term = "perceptual"  # the name of the term in conf/loss, for messages

    def __init__(
        self,
        *,
        layers: Mapping[str, float],
        net: str | nn.Module = "vgg19",
        weights: str | None = None,
        resize: int | None = None,
        bands: Sequence[int] | None = None,
    ) -> None:
        layers = dict(layers)
        for name, weight in layers.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise ValueError(f"layers: weight {weight} of {name} must be finite and at least 0")
        if resize is not None and resize < 1:
            raise ValueError(f"resize={resize} must be 1 or more, or null")
        if isinstance(net, nn.Module):
            if weights is not None:
                raise ValueError(
                    f"weights={weights}: {type(net).__name__} is a net of your own and reads its own"
                )
        else:
            net = ImageNetFeatures(
                net=net, layers=layers, weights=weights, key=key(self.term), otherwise=otherwise(self.term)
            )
        super().__init__(net)
        self.layers = layers
        self.resize = resize
        self.bands = checked_bands(bands, key=band_key(self.term))
        self._rgb = isinstance(net, ImageNetFeatures)

    def check_channels(self, channels: int) -> None:
        """Raises ValueError where images of so many channels do not have the bands that the net sees."""
        if self._rgb or self.bands is not None:
            check_bands(self.bands, channels=channels, key=band_key(self.term))

    def features(self, sr: Tensor, hr: Tensor) -> list[tuple[float, Tensor, Tensor]]:
        """(weight, features of sr, features of hr) of each layer."""
        if sr.shape != hr.shape:
            raise ValueError(
                f"sr has shape {tuple(sr.shape)} and hr has {tuple(hr.shape)}; they must be the same"
            )
        sr, hr = (three_of(each, self.bands, key=band_key(self.term)) for each in (sr, hr))
        with torch.no_grad():
            wanted = self._layers(hr)
        found = self._layers(sr)
        return [(weight, found[name], wanted[name]) for name, weight in self.layers.items()]

    def _layers(self, image: Tensor) -> Mapping[str, Tensor]:
        if self.resize is not None:
            side = (self.resize, self.resize)
            image = F.interpolate(image, size=side, mode="bilinear", antialias=True, align_corners=False)
        found: Mapping[str, Tensor] = self.hidden(image)
        missing = [name for name in self.layers if name not in found]
        if missing:
            raise ValueError(
                f"layers: {type(self.hidden).__name__} gives {', '.join(found)}, and no {', '.join(missing)}"
            )
        return found


class PerceptualLoss(FeatureLoss):
    """sum over layers l of weight_l * distance(phi_l(sr), phi_l(hr)), phi_l = layer l of the net.

    Source: ESRGAN (Wang et al., 2018), sec. 3.3: features before the activation, because after it most are zero and
    give little gradient. Its layer is conv5_4 of VGG19, the default here; the distance is a mean over all elements,
    of absolute ("l1", ESRGAN) or squared ("l2", Johnson et al., 2016) differences.

    Shapes: see `FeatureLoss`.

    Args:
        layers: the weight of each layer, as {conv5_4: 1.0}, which None stands for; `conv*` is a convolution before its
            activation, `relu*` after it.
        distance: the distance of features, "l1" or "l2".
        net: vgg19, vgg16, alexnet or squeezenet; or a net of your own, (N, 3, H, W) in [0, 1] -> {layer: features}.
        weights: a file of the net in torchvision's names; None for torch's cache, and else a download.
        resize: the side in pixels of the square that both images are resized to before; None takes them as they are.
        bands: three bands, counted from 0, that the net sees as red, green and blue; None for images that are RGB.

    Raises:
        ValueError: an unknown distance, and what `FeatureLoss` refuses.
        FileNotFoundError: no weights are found.
    """

    def __init__(
        self,
        *,
        layers: Mapping[str, float] | None = None,
        distance: Literal["l1", "l2"] = "l1",
        net: str | nn.Module = "vgg19",
        weights: str | None = None,
        resize: int | None = None,
        bands: Sequence[int] | None = None,
    ) -> None:
        if distance not in _DISTANCES:
            raise ValueError(f"distance={distance!r} is unknown; choose one of {', '.join(_DISTANCES)}")
        super().__init__(
            layers={"conv5_4": 1.0} if layers is None else layers,
            net=net,
            weights=weights,
            resize=resize,
            bands=bands,
        )
        self.distance = _DISTANCES[distance]()

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        distances = [weight * self.distance(own, wanted) for weight, own, wanted in self.features(sr, hr)]
        return torch.stack(distances).sum()
