"""No net computes an activation in place: compiled nets that did lost gradients (torch 2.13, CPU, bf16)."""

from typing import Any

import pytest
import torch
from tiny_nets import BASELINES, DISCRIMINATORS, GENERATORS
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

ACTIVATIONS = ("relu", "elu", "gelu", "silu", "mish", "sigmoid", "tanh", "hardswish", "softplus")


class InPlaceActivations(TorchDispatchMode):
    """Collects the names of the in-place activations that run inside it, modules or functions."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name.endswith("_") and any(activation in name for activation in ACTIVATIONS):
            self.found.append(name)
        return func(*args, **(kwargs or {}))


def in_place_activations(net: nn.Module) -> list[str]:
    declared = [type(module).__name__ for module in net.modules() if getattr(module, "inplace", False)]
    image = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with InPlaceActivations() as mode:
        net(image)
    return declared + mode.found


class Functional(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return nn.functional.leaky_relu_(image.clone(), 0.2)


@pytest.mark.parametrize(
    ("net", "expected"),
    [(Functional(), ["leaky_relu_"]), (nn.ReLU(inplace=True), ["ReLU", "relu_"]), (nn.ReLU(), [])],
)
def test_the_search_finds_planted_ones(net: nn.Module, expected: list[str]) -> None:
    assert in_place_activations(net) == expected


@pytest.mark.parametrize("name", [*GENERATORS, *DISCRIMINATORS, *BASELINES])
def test_no_activation_is_in_place(name: str) -> None:
    make = {**GENERATORS, **DISCRIMINATORS, **BASELINES}[name]
    assert in_place_activations(make() if name in DISCRIMINATORS else make(scale=2)) == []
