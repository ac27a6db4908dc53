"""The distance between the VGG19 features of two images."""

import math
from collections.abc import Callable, Mapping
from typing import Literal, Self

import torch
from torch import Tensor, nn

from sr.losses.pixel import L1Loss, MSELoss
from sr.losses.vgg19 import VGG19Features

_DISTANCES = {"l1": L1Loss, "l2": MSELoss}


class PerceptualLoss(nn.Module):
    """sum over layers l of weight_l * distance(phi_l(sr), phi_l(hr)), phi_l = VGG19's convolution l.

    Source: ESRGAN (Wang et al., 2018), sec. 3.3: features before the activation, because after it most are
    zero and give little gradient. Its layer is conv5_4, the default here; the distance is a mean over all
    elements, of absolute ("l1", ESRGAN) or squared ("l2", Johnson et al., 2016) differences. No gradient
    flows to `hr`.

    Shapes: `sr` and `hr` (N, 3, H, W), RGB in [0, 1], large enough for the deepest layer (16 pixels for
    conv5_4); returns a scalar of at least float32. `weights`: see `VGG19Features`.

    The VGG follows `.to(...)` but is invisible to `state_dict()`, `parameters()`, `buffers()` and
    `modules()`: checkpoints stay small and DDP neither broadcasts nor reduces it.

    Args:
        layers: the weight of each convolution, as {conv5_4: 1.0}, which None stands for.
        distance: the distance of features, "l1" or "l2".
        weights: a file of VGG19 in torchvision's names; None for torch's cache, and else a download.

    Raises:
        ValueError: an unknown layer or distance, a weight that is negative or not finite, images that are not RGB,
            too small or of different shapes, and weights that do not fit.
        FileNotFoundError: no weights are found.
    """

    def __init__(
        self,
        *,
        layers: Mapping[str, float] | None = None,
        distance: Literal["l1", "l2"] = "l1",
        weights: str | None = None,
    ) -> None:
        super().__init__()
        self.layers = {"conv5_4": 1.0} if layers is None else dict(layers)
        for name, weight in self.layers.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise ValueError(f"layers: weight {weight} of {name} must be finite and at least 0")
        if distance not in _DISTANCES:
            raise ValueError(f"distance={distance!r} is unknown; choose one of {', '.join(_DISTANCES)}")
        self.distance = _DISTANCES[distance]()
        # nn.Module does not look for submodules inside a tuple.
        self._hidden = (VGG19Features(layers=self.layers, weights=weights),)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move the hidden VGG too: `.to()`, `.cuda()` and the like call this on every visible submodule."""
        for vgg in self._hidden:
            vgg._apply(fn, recurse)  # type: ignore[no-untyped-call]
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        if sr.shape != hr.shape:
            raise ValueError(
                f"sr has shape {tuple(sr.shape)} and hr has {tuple(hr.shape)}; they must be the same"
            )
        (vgg,) = self._hidden
        with torch.no_grad():
            wanted = vgg(hr)
        features = vgg(sr)
        distances = [
            weight * self.distance(features[name], wanted[name]) for name, weight in self.layers.items()
        ]
        return torch.stack(distances).sum()
