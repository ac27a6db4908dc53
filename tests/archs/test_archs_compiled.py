"""`net.compile()` under bf16 autocast gives the gradients of the eager net."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch._inductor.lowering  # which the decomposition of pooling looks up
from functorch.compile import make_boxed_func
from tiny_nets import DISCRIMINATORS, GENERATORS
from torch import Tensor, nn
from torch._dynamo.backends.common import aot_autograd
from torch._inductor.decomposition import select_decomp_table

NETS: dict[str, Callable[[], nn.Module]] = {
    **{name: partial(make, scale=2) for name, make in GENERATORS.items()},
    **DISCRIMINATORS,
}

QUICK = ("rrdbnet", "unet_disc")  # with `make test`; all others are slow


def loss_and_gradients(
    net: nn.Module, image: Tensor, *, bf16: bool = True
) -> tuple[float, dict[str, Tensor]]:
    torch.manual_seed(3)  # for what a net draws in training
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        output = net(image)
    if isinstance(output, tuple):  # the maps of several discriminators
        output = torch.cat([each.flatten(1) for each in output], dim=1)
    # Weighted, so that no gradient vanishes by symmetry (what a norm puts out sums to zero anyway).
    weight = torch.rand(output.shape, generator=torch.Generator().manual_seed(2))
    loss = (weight * (output.float() - 0.3).square()).mean()
    loss.backward()
    gradients = {}
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        gradients[name] = parameter.grad
    return loss.item(), gradients


def train_image(name: str) -> Tensor:
    """More images for batch norm, which would divide by the spread of two single pixels."""
    batch = 8 if name == "vgg_disc" else 2
    return torch.rand(batch, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def backward_operators(net: nn.Module, image: Tensor) -> set[str]:
    """Names of what the backward graph handed to inductor calls, without the time inductor takes."""
    operators: set[str] = set()

    def forward_compiler(module: torch.fx.GraphModule, _: Any) -> Any:
        return make_boxed_func(module.forward)

    def backward_compiler(module: torch.fx.GraphModule, _: Any) -> Any:
        operators.update(str(node.target) for node in module.graph.nodes if node.op == "call_function")
        return make_boxed_func(module.forward)

    backend = aot_autograd(
        fw_compiler=forward_compiler, bw_compiler=backward_compiler, decompositions=select_decomp_table()
    )
    torch.compiler.reset()
    net.compile(backend=backend, fullgraph=True)
    loss_and_gradients(net, image)
    return operators


class Interpolating(nn.Module):
    """What the nets must not do: F.interpolate between layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        return nn.functional.interpolate(self.conv(image), scale_factor=2, mode="nearest")


def test_the_search_finds_a_planted_index_put() -> None:
    assert any("index_put" in name for name in backward_operators(Interpolating(), train_image("planted")))


@pytest.mark.parametrize(
    "layout",
    [torch.contiguous_format, pytest.param(torch.channels_last, marks=pytest.mark.slow)],
    ids=["channels first", "channels last"],  # both in which runs train, see sr/ops/hardware.py
)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in NETS]
)
def test_backward_writes_nothing_by_index(name: str, layout: torch.memory_format) -> None:
    """Inductor may read the zeros under an `index_put` before they are filled, see sr/archs/upsampling.py."""
    image = train_image(name).contiguous(memory_format=layout)
    image.requires_grad_(name.endswith("disc"))  # the generator learns through D's input
    operators = backward_operators(NETS[name]().to(memory_format=layout), image)
    assert any("convolution_backward" in operator for operator in operators)
    # slice_scatter (of a slice) is pure arithmetic for inductor and has no zeros to fill.
    assert not [op for op in operators if "index_put" in op or ("scatter" in op and "slice" not in op)]


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_compiled_gradients_equal_eager_ones(name: str) -> None:
    torch.manual_seed(0)
    eager, exact, compiled = NETS[name](), NETS[name](), NETS[name]()
    exact.load_state_dict(eager.state_dict())
    compiled.load_state_dict(eager.state_dict())
    torch.compiler.reset()
    compiled.compile(fullgraph=True)

    loss, expected = loss_and_gradients(eager, train_image(name))
    _, in_fp32 = loss_and_gradients(exact, train_image(name), bf16=False)
    with torch._inductor.config.patch(fallback_random=True):  # the same draws as in eager mode
        compiled_loss, gradients = loss_and_gradients(compiled, train_image(name))
    assert compiled_loss == pytest.approx(loss, rel=0.02)
    # What is next to nothing beside the whole gradient (a bias before a batch norm) is rounding alone.
    nothing = 3e-6 * sum(gradient.square().sum() for gradient in expected.values()) ** 0.5
    for parameter, gradient in expected.items():
        # A lost gradient differs by 100 %. bf16 keeps 8 bits, so sums in another order differ by a percent, and by more
        # where parts cancel: through nine batch norms (the VGG net's eager bf16 gradient is itself 30 % off fp32), and
        # before attention, whose fresh scores are all but equal (two thirds for the bias of a norm).
        difference = (gradients[parameter] - gradient).norm().item()
        cancelled = (gradient - in_fp32[parameter]).norm().item()
        share = 0.6 if name == "vgg_disc" else 0.05
        assert difference <= share * gradient.norm().item() + cancelled + nothing, parameter
    for buffer, value in eager.named_buffers():  # spectral norm's u and v, batch norm's statistics
        torch.testing.assert_close(compiled.get_buffer(buffer), value, rtol=0.02, atol=0.02)
