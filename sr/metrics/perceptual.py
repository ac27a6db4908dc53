"""LPIPS and DISTS. They are the only part of the project that needs torchvision."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn

from sr.metrics.private_torchmetrics import lpips_net
from sr.metrics.quantity import LOWER, Quantity
from sr.ops.weight_file import check_name

CHOICES = ("lpips", "dists")
BACKBONES = {"lpips": ("AlexNet", "alexnet-owt-7be5be79.pth"), "dists": ("VGG16", "vgg16-397923af.pth")}
DISTANCE = Quantity(better=LOWER, digits=".4f")
SMALLEST = 64  # height and width; a smaller image has no pixel left after the pooling of AlexNet and VGG16
WORDS = {
    "lpips": "Zhang et al. 2018, version 0.1 on AlexNet (torchmetrics), 8-bit RGB, same border; lower is better",
    "dists": "Ding et al. 2020 on VGG16 (torchmetrics), 8-bit RGB, same border; lower is better",
}


class PerceptualMetricError(RuntimeError):
    """A perceptual metric is not available on this machine."""


class Perceptual:
    """Distances in the features of nets trained on ImageNet: 0 for equal images; lower is better.

    Args:
        names: the names of the metrics, one or both of `lpips` and `dists`.
        prepare: images -> the pixels that are compared, in [0, 1], as `sr.metrics.protocol.Protocol.prepare`.
        crop_border: the number of pixels that `prepare` cuts from each side.
        device: the device of the nets.

    Raises:
        ValueError: a name is unknown.
        PerceptualMetricError: torchvision cannot be imported, or the weights of the nets are not available.
    """

    def __init__(
        self,
        *,
        names: Sequence[str],
        prepare: Callable[[Tensor], Tensor],
        crop_border: int,
        device: torch.device,
    ) -> None:
        unknown = [name for name in names if name not in CHOICES]
        if unknown:
            raise ValueError(f"perceptual={list(names)}: choose from {', '.join(CHOICES)}")
        _need_torchvision(names)
        self.prepare = prepare
        self.smallest = SMALLEST + 2 * crop_border
        self.nets = {name: _load(name).to(device) for name in names}

    @property
    def quantities(self) -> dict[str, Quantity]:
        return {name: replace(DISTANCE, title=name.upper()) for name in self.nets}

    def describe(self) -> dict[str, str]:
        return {name: WORDS[name] for name in self.nets}

    @torch.no_grad()
    def __call__(self, sr: Tensor, hr: Tensor) -> Mapping[str, Tensor]:
        """(1, 3, H, W) images, nominally in [0, 1] -> name -> (1,)."""
        a, b = (self.prepare(images).float().to(sr.device) for images in (sr, hr))
        values = {
            name: net(a, b, normalize=True) if name == "lpips" else net(a, b)
            for name, net in self.nets.items()
        }
        return {name: value.reshape(1) for name, value in values.items()}


def _need_torchvision(names: Sequence[str]) -> None:
    try:
        importlib.import_module("torchvision")
    except Exception as error:  # a build for another torch raises a RuntimeError of its own
        version = torch.__version__.split("+")[0]
        raise PerceptualMetricError(
            f"perceptual={list(names)} needs torchvision, which cannot be imported here ({error}). Install the build"
            f" that belongs to torch {version} (https://pytorch.org/get-started), or leave perceptual out: no other"
            " metric needs it"
        ) from error


def _load(name: str) -> nn.Module:
    """A metric's net with its weights.

    Raises:
        PerceptualMetricError: the weights of the backbone are not in torch's cache and cannot be downloaded.
        CheckpointError: the weights in the cache are damaged.
    """
    backbone, file = BACKBONES[name]
    cached = Path(torch.hub.get_dir(), "checkpoints", file)
    if cached.is_file():
        check_name(cached)
    dists = importlib.import_module("torchmetrics.functional.image.dists")
    try:
        net: nn.Module = lpips_net() if name == "lpips" else dists.DISTSNetwork()
    except (URLError, OSError) as error:
        raise PerceptualMetricError(
            f"perceptual={name} needs torchvision's weights of {backbone}, which are not in {cached.parent}"
            f" and cannot be downloaded ({error}); put the file there, or leave {name} out"
        ) from error
    return net.eval().requires_grad_(False)
