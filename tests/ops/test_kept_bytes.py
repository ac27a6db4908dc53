"""What a net keeps for the backward pass, found without values: against what autograd really keeps."""

from collections.abc import Iterator

import pytest
import torch
from tiny_nets import GENERATORS, lively
from torch import Tensor, nn

from sr.ops.kept_bytes import kept_bytes


def really_kept(net: nn.Module, shape: tuple[int, ...], dtype: torch.dtype | None) -> int:
    kept: dict[int, Tensor] = {}

    def keep(value: Tensor) -> Tensor:
        kept[value.untyped_storage().data_ptr()] = value
        return value

    with (
        torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None),
        torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value),
    ):
        net(torch.rand(shape))
    own = {value.untyped_storage().data_ptr() for value in own_tensors(net)}
    return sum(value.untyped_storage().nbytes() for key, value in kept.items() if key not in own)


def own_tensors(net: nn.Module) -> Iterator[Tensor]:
    yield from net.parameters()
    yield from net.buffers()


@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
@pytest.mark.parametrize("name", GENERATORS)
def test_it_is_what_autograd_keeps(name: str, dtype: torch.dtype | None) -> None:
    net, shape = lively(GENERATORS[name](scale=2)).train(), (2, 3, 16, 24)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    found = kept_bytes(net, shape=shape, dtype=dtype)
    after = net.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())  # batch norm's statistics too
    # Under autocast, layer norms keep their statistics in fp32, which tensors without values take for bf16.
    assert found == pytest.approx(really_kept(net, shape, dtype), rel=0.03 if dtype else 0)


def test_a_convolution_and_its_activation() -> None:
    """By hand: the input of the convolution, its result for GELU; and no weights."""
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.GELU())
    assert kept_bytes(net, shape=(2, 3, 10, 12), dtype=None) == 4 * 2 * 10 * 12 * (3 + 8)


def test_sizes_beyond_any_memory_cost_nothing() -> None:
    assert kept_bytes(nn.Conv2d(3, 8, 1), shape=(2**20, 3, 2**10, 2**10), dtype=None) == 4 * 3 * 2**40


def test_a_net_that_looks_at_values_says_so() -> None:
    class Looks(nn.Conv2d):
        def forward(self, input: Tensor) -> Tensor:
            return super().forward(input) if input.mean() > 0 else input

    with pytest.raises(Exception, match="_local_scalar_dense"):
        kept_bytes(Looks(3, 3, 1), shape=(1, 3, 4, 4), dtype=None)
