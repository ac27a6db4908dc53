"""What a net keeps for the backward pass, found without computing anything."""

from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sr.ops.private_torch import FakeTensorMode, identity


def kept_bytes(net: nn.Module, *, shape: tuple[int, ...], dtype: torch.dtype | None) -> int:
    """The bytes of all tensors that autograd keeps of a forward pass, without the parameters and buffers of the net.

    The pass runs on tensors that have a shape and no values, so it takes neither memory nor much time, whatever the
    shape is. The net stays as it is. What checkpointing keeps is not counted, since autograd does not see it.

    Args:
        net: a net in the state of training.
        shape: the shape of its input, (N, C, H, W).
        dtype: the type that autocast computes in; None for no autocast. Autocast is that of a CPU, whose list of
            layers that stay in fp32 differs little from that of a GPU.

    Raises:
        Exception: whatever the net raises where it looks at values, which these tensors do not have.
    """
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        kept[identity(storage)] = storage  # held, so that no other one gets its identity
        return value

    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        state: dict[str, Tensor] = {name: mode.from_tensor(value) for name, value in _tensors(net).items()}
        own = {identity(value.untyped_storage()) for value in state.values()}
        autocast = torch.autocast("cpu", dtype) if dtype else nullcontext()
        with autocast, torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
            result = functional_call(net, state, (torch.empty(shape),))
        del result
    return sum(storage.nbytes() for key, storage in kept.items() if key not in own)


def _tensors(net: nn.Module) -> dict[str, Tensor]:
    return {**dict(net.named_parameters()), **dict(net.named_buffers())}
