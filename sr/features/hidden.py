"""A module that carries a net which is not its own."""

from collections.abc import Callable
from typing import Self

from torch import Tensor, nn


class Hiding(nn.Module):
    """Carries a frozen net that follows `.to(...)` and is otherwise invisible.

    `state_dict()`, `parameters()`, `buffers()` and `modules()` do not know it: checkpoints stay small, and DDP neither
    broadcasts nor reduces it.

    Args:
        net: the net.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        # nn.Module does not look for submodules inside a tuple.
        self._hidden = (net.eval().requires_grad_(False),)

    @property
    def hidden(self) -> nn.Module:
        return self._hidden[0]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move the hidden net too: `.to()`, `.cuda()` and the like call this on every visible submodule."""
        self.hidden._apply(fn, recurse)  # type: ignore[no-untyped-call]
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self
