"""Constants that published files hold beside the weights, and that a net here does not need."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

Make = Callable[[], dict[str, Tensor]]


def publish_constants(module: nn.Module, make: Make) -> None:
    """Write constants into the state dict of a module, and take no notice of them when one is loaded.

    They are made when they are written, since masks for every block can be larger than all weights. As buffers they
    would be in memory as often as the net, averaged nets would copy them, and processes would send them to each other
    in every iteration.

    Args:
        module: the module whose names they have.
        make: a function that gives the constants by name, which `pickle` must know as it must the module.
    """
    module.register_state_dict_post_hook(partial(_write, make))  # type: ignore[no-untyped-call]
    module.register_load_state_dict_pre_hook(partial(_take_out, make))  # type: ignore[no-untyped-call]


def _write(make: Make, _: nn.Module, state: dict[str, Any], prefix: str, metadata: Any) -> None:
    state.update({f"{prefix}{name}": value for name, value in make().items()})


def _take_out(make: Make, _: nn.Module, state: dict[str, Any], prefix: str, *others: Any) -> None:
    for name in make():
        state.pop(f"{prefix}{name}", None)
