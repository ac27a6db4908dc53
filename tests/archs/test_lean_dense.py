"""The dense block that keeps little: the same numbers as the plain one, and less memory."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from sr.archs.lean_dense import lean_dense
from sr.archs.rrdbnet import ResidualDenseBlock, RRDBNet


def block(*, lean: bool, num_feat: int = 4, num_grow_ch: int = 3, plus: bool = False) -> ResidualDenseBlock:
    torch.manual_seed(0)
    made = ResidualDenseBlock(num_feat=num_feat, num_grow_ch=num_grow_ch, lean=lean, plus=plus)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.2)
    return made


def gradients(net: nn.Module, image: Tensor, *, bf16: bool = False) -> list[Tensor]:
    """The result, and the gradients of a function that weighs every pixel of it."""
    image = image.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        result = net(image)
    weight = torch.randn(result.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    (weight.to(image) * result.float().to(image)).sum().backward()
    assert image.grad is not None
    found = [result.detach(), image.grad, *(parameter.grad for parameter in net.parameters())]
    return [each for each in found if each is not None]


@pytest.mark.parametrize("plus", [False, True])
def test_gradcheck(plus: bool) -> None:
    made = block(lean=True).double()
    convs = [made.conv1, made.conv2, made.conv3, made.conv4, made.conv5]
    image = torch.randn(2, 4, 5, 6, dtype=torch.float64, requires_grad=True)

    def function(features: Tensor, *parameters: Tensor) -> Tensor:
        return lean_dense(features, list(parameters[:5]), list(parameters[5:10]), *parameters[10:])

    parameters = [*(conv.weight for conv in convs), *(conv.bias for conv in convs)]
    residual = [torch.randn(2, 3, 5, 6, dtype=torch.float64, requires_grad=True)] * plus
    assert torch.autograd.gradcheck(function, (image, *parameters, *residual))


@pytest.mark.parametrize("plus", [False, True])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_is_the_plain_block(layout: torch.memory_format, plus: bool) -> None:
    image = torch.randn(2, 4, 9, 7, dtype=torch.float64).to(memory_format=layout)
    plain, lean = (gradients(block(lean=lean, plus=plus).double(), image) for lean in (False, True))
    assert len(plain) == len(lean) == 12 + plus
    for expected, found in zip(plain, lean, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("plus", [False, True])
def test_under_autocast_it_rounds_as_the_plain_block(plus: bool) -> None:
    image = torch.randn(2, 16, 9, 7)
    nets = [block(lean=lean, num_feat=16, num_grow_ch=8, plus=plus) for lean in (False, True, False)]
    (plain, *expected), (lean, *found) = (gradients(net, image, bf16=True) for net in nets[:2])
    exact = gradients(nets[2].double(), image.double())[1:]
    assert torch.equal(plain, lean)
    for by_plain, by_lean, truth in zip(expected, found, exact, strict=True):
        assert by_lean.dtype == torch.float32
        off_plain, off_lean = ((each - truth).norm() / truth.norm() for each in (by_plain, by_lean))
        assert off_lean < max(1.5 * off_plain, 2**-8)  # neither is nearer to the truth than bf16 lets it be


def kept_channels(net: Callable[[Tensor], Tensor], image: Tensor) -> float:
    """Floats that autograd keeps for the backward pass per pixel and image, parameters aside."""
    storages: dict[int, int] = {}

    def keep(value: Tensor) -> Tensor:
        if value.ndim == 4 and value.shape[-2:] == image.shape[-2:]:
            storages[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes() // 4
        return value

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        result = net(image)
    assert result.requires_grad
    return sum(storages.values()) / (image.numel() / image.shape[1])


def test_a_quarter_of_the_channels_is_kept() -> None:
    image = torch.rand(1, 64, 16, 16, requires_grad=True)
    plain = kept_channels(block(lean=False, num_feat=64, num_grow_ch=32), image)
    lean = kept_channels(block(lean=True, num_feat=64, num_grow_ch=32), image)
    assert lean == 192
    assert plain >= 640
    plus = kept_channels(block(lean=True, num_feat=64, num_grow_ch=32, plus=True), image)
    assert plus == 192 + 2 * 32 + 64  # and the input of the 1 x 1 convolution


def rrdbnet(memory: str) -> RRDBNet:
    torch.manual_seed(0)
    net = RRDBNet(scale=2, num_feat=8, num_block=2, num_grow_ch=4, memory=memory)  # type: ignore[arg-type]
    return net.double()


@pytest.mark.parametrize("memory", ["lean", "checkpoint"])
def test_every_choice_of_memory_trains_alike(memory: str) -> None:
    image = torch.rand(2, 3, 10, 8, dtype=torch.float64)
    for expected, found in zip(
        gradients(rrdbnet("plain"), image), gradients(rrdbnet(memory), image), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("memory", "calls"), [("plain", 1), ("lean", 1), ("checkpoint", 2)])
def test_checkpointing_runs_every_block_twice(memory: str, calls: int) -> None:
    net, seen = rrdbnet(memory), []
    net.body[0].rdb1.register_forward_hook(lambda *_: seen.append(1))
    net(torch.rand(1, 3, 4, 4, dtype=torch.float64)).sum().backward()
    assert len(seen) == calls
    with torch.no_grad():
        net(torch.rand(1, 3, 4, 4, dtype=torch.float64))
    assert len(seen) == calls + 1


def test_an_unknown_choice_is_named() -> None:
    with pytest.raises(ValueError, match="memory='small' must be one of"):
        rrdbnet("small")
