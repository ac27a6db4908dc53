"""Every net of ours refuses a size below 1, by its name."""

import inspect
from importlib import import_module

import pytest
from helpers import ROOT
from torch import nn

MODULES = [
    import_module(f"sr.archs.{file.stem}") for file in sorted((ROOT / "sr" / "archs").glob("[!_]*.py"))
]
SIZES = [
    (net, name)
    for module in MODULES
    for net in vars(module).values()
    if isinstance(net, type) and issubclass(net, nn.Module) and net.__module__ == module.__name__
    for name, parameter in inspect.signature(net).parameters.items()
    if name.startswith("num_") and parameter.default is not parameter.empty
]


@pytest.mark.parametrize(("net", "name"), SIZES)
@pytest.mark.parametrize("size", [0, -4])
def test_a_size_below_one_is_refused_by_name(net: type[nn.Module], name: str, size: int) -> None:
    default = inspect.signature(net).parameters[name].default
    value = size if isinstance(default, int) else [size] * len(default)  # a number for each group
    with pytest.raises(ValueError, match=f"^{name}={size} must be 1 or more$"):
        net(**{name: value})
