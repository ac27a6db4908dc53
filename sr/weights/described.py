"""From a description of a net (`_target_` and arguments) to the net, by classes of trusted packages alone."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from sr.ops.trusted import NotTrustedError, import_path, trusted_class, trusted_packages

HOME = "sr.archs"
# Arguments of our nets that change how they train, not what they compute.
TRAINING_ONLY = {"memory", "drop_path_rate"}
# Other keys with an underscore are orders to Hydra, which builds the net for training; these change no plain value.
HARMLESS = {"_target_", "_convert_"}


def find_net(description: Mapping[str, Any], *, trust: Sequence[str] = ()) -> type[nn.Module]:
    """The class of the net that is described.

    Args:
        description: `_target_` and arguments.
        trust: packages besides `sr.archs` whose nets a description may name.

    Raises:
        NotTrustedError: `_target_` is not a net of these packages.
    """
    target = str(description.get("_target_"))
    found = trusted_class(target, packages=trusted_packages(HOME, trust))
    if not issubclass(found, nn.Module):
        raise NotTrustedError(f"{target} is not a torch.nn.Module")
    return found


def build_described(description: Mapping[str, Any], *, trust: Sequence[str] = ()) -> nn.Module:
    """Build a net from plain arguments; an argument may be described as a net is (an activation, a block).

    Raises:
        NotTrustedError: a `_target_` is not a net of a trusted package, or another key is an order to Hydra.
        Exception: whatever the constructor raises.
    """
    orders = [key for key in description if str(key).startswith("_") and key not in HARMLESS]
    if orders:
        raise NotTrustedError(
            f"{description.get('_target_')} is described with {', '.join(orders)}, which is for Hydra alone"
        )
    kind = find_net(description, trust=trust)
    arguments = {key: _built(value, trust=trust) for key, value in description.items() if key not in HARMLESS}
    return kind(**arguments)


@contextmanager
def not_larger_than(weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Stop the building of a net as soon as it is far larger than its weights: a file may describe a billion layers.

    A parameter is registered before it is filled, so a net that is stopped has not taken any memory.

    Raises:
        ValueError: the net is several times as large.
    """
    most = 2 * len(weights) + 100, 4 * sum(value.numel() for value in weights.values()) + 2**20
    tensors = values = 0

    def count(module: nn.Module, name: str, parameter: nn.Parameter) -> None:
        nonlocal tensors, values
        tensors, values = tensors + 1, values + parameter.numel()
        if tensors > most[0] or values > most[1]:
            raise ValueError(f"it is several times as large as the file, which has {len(weights)} tensors")

    counting = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        counting.remove()


def complete(description: Mapping[str, Any], kind: type[nn.Module]) -> dict[str, Any]:
    """The description with the defaults of the constructor, so that two of them can be compared."""
    parameters = inspect.signature(kind).parameters.values()
    defaults = {
        each.name: each.default
        for each in parameters
        if each.default is not each.empty and each.name not in TRAINING_ONLY
    }
    return {"_target_": import_path(kind), **defaults, **_arguments(description)}


def _arguments(description: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in description.items() if key not in HARMLESS}


def _built(value: Any, *, trust: Sequence[str]) -> Any:
    if isinstance(value, Mapping):
        if "_target_" in value:
            return build_described(value, trust=trust)
        return {key: _built(inner, trust=trust) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_built(inner, trust=trust) for inner in value]
    if isinstance(value, str | int | float | bool | None):
        return value
    raise NotTrustedError(f"an argument is a {type(value).__name__}, which no description holds")
