"""torch.compile of what trains."""

from collections.abc import Iterable

import torch
from torch import nn


def compile_in_place(modules: Iterable[nn.Module]) -> None:
    """Compile modules that training computes gradients of; their names in `state_dict` stay."""
    # The discriminator's graph is used for two gradients, so nothing of it may be reused after the first.
    torch._functorch.config.donated_buffer = False
    for module in modules:
        module.compile()
