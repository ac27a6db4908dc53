"""Small nets that enlarge pictures, and the program in this process."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sr.archs.bicubic import Bicubic
from sr.commands.upscale import parse
from sr.programs.upscale import run
from sr.upscale.engines.in_torch import TorchEngine
from sr.upscale.network import Network
from sr.upscale.tiles import enlarge_all


def network(
    net: nn.Module | None = None,
    *,
    scale: int = 2,
    channels: int = 3,
    precision: str = "fp32",
    **options: object,
) -> Network:
    net = Bicubic(scale=scale) if net is None else net
    return Network(
        net=net,
        scale=scale,
        channels=channels,
        device=torch.device("cpu"),
        engine=TorchEngine(net, precision=precision),
        **options,  # type: ignore[arg-type]
    )


def enlarge(image: np.ndarray, **options: Any) -> np.ndarray:
    """One image through `sr.upscale.tiles`."""
    (result,) = enlarge_all([image], **options)
    return result


class Hungry(nn.Module):
    """Has memory for `pixels` at once and reports the rest as an allocator would."""

    def __init__(self, pixels: int, error: Callable[[], Exception]) -> None:
        super().__init__()
        self.pixels = pixels
        self.error = error

    def forward(self, lr: Tensor) -> Tensor:
        if lr.shape[0] * lr.shape[2] * lr.shape[3] > self.pixels:
            raise self.error()
        return nn.functional.interpolate(lr, scale_factor=2, mode="nearest")


def upscale(*arguments: object) -> int:
    """Run sr-upscale in this process; returns its status."""
    return run(parse([str(each) for each in arguments]))
