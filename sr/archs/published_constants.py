"""Constants that published files hold beside the weights, and that a net here does not need."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


def publish_constants(module: nn.Module, make: Callable[[], dict[str, Tensor]]) -> None:
    """Write constants into the state dict of a module, and take no notice of them when one is loaded.

    They are made when they are written, since masks for every block can be larger than all weights, and would otherwise
    be in memory as often as the net.

    Args:
        module: the module whose names they have.
        make: a function that gives the constants by name.
    """

    def write(_: nn.Module, state: dict[str, Any], prefix: str, metadata: Any) -> None:
        state.update({f"{prefix}{name}": value for name, value in make().items()})

    def take_out(_: nn.Module, state: dict[str, Any], prefix: str, *others: Any) -> None:
        for name in make():
            state.pop(f"{prefix}{name}", None)

    module.register_state_dict_post_hook(write)  # type: ignore[no-untyped-call]
    module.register_load_state_dict_pre_hook(take_out)  # type: ignore[no-untyped-call]
