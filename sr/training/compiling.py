"""torch.compile of what trains."""

from collections.abc import Iterable

from torch import nn

from sr.ops.private_torch import keep_buffers_of_backward


def compile_in_place(modules: Iterable[nn.Module]) -> None:
    """Compile modules that training computes gradients of; their names in `state_dict` stay."""
    # The discriminator's graph is used for two gradients, so nothing of it may be reused after the first.
    keep_buffers_of_backward()
    for module in modules:
        module.compile()
