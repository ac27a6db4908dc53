"""From a description of a net (`_target_` and arguments) to the net, by classes of trusted packages alone."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

from sr.ops.trusted import NotTrustedError, import_path, trusted_class, trusted_packages

HOME = "sr.archs"
# Arguments of our nets that change how they train, not what they compute.
TRAINING_ONLY = {"memory", "drop_path_rate"}
# Values that the tables of a small net (masks, indices of positions) may have, which files need not hold.
MOST_DERIVED = 2**24
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


def is_ours(kind: type[nn.Module]) -> bool:
    """Whether a net is one of this project's."""
    return kind.__module__.startswith(f"{HOME}.")


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

    A parameter is registered before it is filled, so a net that is stopped has not taken any memory. Buffers are filled
    first: where they are tables of a size that the file chooses, only a net on the device `meta` takes none.

    Raises:
        ValueError: the net is several times as large.
    """
    held = sum(value.numel() for value in weights.values())
    most = 2 * len(weights) + 100, 4 * held + 2**20
    tensors = values = derived = 0

    def count(module: nn.Module, name: str, parameter: nn.Parameter) -> None:
        nonlocal tensors, values
        tensors, values = tensors + 1, values + parameter.numel()
        if tensors > most[0] or values > most[1]:
            raise ValueError(f"it is several times as large as the file, which has {len(weights)} tensors")

    def count_buffer(module: nn.Module, name: str, buffer: Tensor | None) -> None:
        nonlocal derived
        derived += 0 if buffer is None else buffer.numel()
        if derived > 4 * held + MOST_DERIVED:
            raise ValueError(f"its tables ({name}) are several times as large as the file")

    hooks = (
        register_module_parameter_registration_hook(count),
        register_module_buffer_registration_hook(count_buffer),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def check_tables(net: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Refuse a net that writes constants beside its weights which are far larger than the file.

    Args:
        net: the net on the device `meta`, where even the largest constants take no memory.
        weights: the weights in the file.

    Raises:
        ValueError: names one of the constants.
    """
    parameters = {name for name, _ in net.named_parameters()}
    most, derived = 4 * sum(value.numel() for value in weights.values()) + MOST_DERIVED, 0
    for name, value in net.state_dict().items():
        derived += 0 if name in parameters else value.numel()
        if derived > most:
            raise ValueError(f"its tables ({name}) are several times as large as the file")


def complete(description: Mapping[str, Any], kind: type[nn.Module]) -> dict[str, Any]:
    """The description with the plain defaults of the constructor, so that two of them can be compared and written.

    A default that is no plain value (a class, a module) cannot be written, and the constructor has it anyway.
    """
    parameters = inspect.signature(kind).parameters.values()
    defaults = {
        each.name: each.default
        for each in parameters
        if each.default is not each.empty and each.name not in TRAINING_ONLY and _is_plain(each.default)
    }
    arguments = {key: value for key, value in description.items() if key not in HARMLESS}
    return {"_target_": import_path(kind), **_listed({**defaults, **arguments})}


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(inner) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, str | int | float | bool | None)


def _listed(value: Any) -> Any:
    """With lists in the place of tuples, which YAML and JSON do not have."""
    if isinstance(value, Mapping):
        return {key: _listed(inner) for key, inner in value.items()}
    return [_listed(inner) for inner in value] if isinstance(value, list | tuple) else value


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
