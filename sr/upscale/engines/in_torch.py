"""The net in torch itself, as it is or compiled."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from sr.ops.hardware import has_bf16, inference_layout
from sr.upscale.engines.engine import EngineError
from sr.upscale.precisions import PRECISIONS

# What autocast computes in bf16. Weights that are stored so need not be cast again for every tile.
BY_AUTOCAST = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.Linear)


class TorchEngine:
    """The net in eager mode, in the layout that is fast on its device.

    bf16 is autocast's: convolutions and matrix products alone, so that the sum with the upsampled input stays in fp32.
    With everything in bf16, compact nets would lose the last of 8 bits.

    Args:
        net: the generator in evaluation mode, on its device and in fp32. It is not changed.
        precision: fp32 or bf16.
    """

    def __init__(self, net: nn.Module, *, precision: str) -> None:
        self.bf16 = precision == "bf16"
        self.title = f"torch, {precision}"
        self.net = with_bf16_weights(net) if self.bf16 else net

    def __call__(self, tiles: Tensor) -> Tensor:
        with torch.autocast(tiles.device.type, torch.bfloat16, enabled=self.bf16):
            enlarged: Tensor = self.net(tiles.contiguous(memory_format=inference_layout(tiles.device)))
        return enlarged.float()


class CompiledEngine(TorchEngine):
    """The net compiled by torch.compile, once for every shape of its tiles.

    Raises:
        EngineError: torch cannot compile it here, as where there is no C++ compiler.
    """

    def __init__(self, net: nn.Module, *, precision: str, channels: int) -> None:
        super().__init__(net, precision=precision)
        self.net = deepcopy(net) if self.net is net else self.net  # `compile` changes a net in place
        self.net.compile(dynamic=True)
        self.title = f"compiled, {precision}"
        device = next((parameter.device for parameter in net.parameters()), torch.device("cpu"))
        try:
            with torch.no_grad():
                self(torch.zeros(1, channels, 32, 40, device=device))
        except Exception as error:  # torch's compilers raise what they like: the first line says what it was
            raise EngineError(f"torch.compile: {str(error).strip().splitlines()[0]}") from error


def usual_precision(precision: str, device: torch.device) -> str:
    """fp32 or bf16; `auto` is bf16 where the device has instructions for it."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision} must be one of {', '.join(PRECISIONS)}")
    if precision != "auto":
        return precision
    return "bf16" if has_bf16(device) else "fp32"


def with_bf16_weights(net: nn.Module) -> nn.Module:
    """A copy whose weights of convolutions and matrix products are in bf16, which autocast gives the same result."""
    copy = deepcopy(net)
    for module in copy.modules():
        if type(module) in BY_AUTOCAST:  # not subclasses, which may do something else with their weights
            for parameter in module.parameters(recurse=False):
                parameter.data = parameter.data.to(torch.bfloat16)
    return copy
