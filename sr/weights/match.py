"""The comparison of the weights in a file with the tensors of a net."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Fit:
    """The names of tensors, in the order of the net or of the file.

    Attributes:
        matched: the tensors whose name and shape are the same in both.
        missing: the tensors of the net that the file lacks.
        surplus: the tensors of the file that the net lacks.
        reshaped: the tensors that have another shape in each, with both shapes in words.
    """

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    reshaped: Mapping[str, str]

    @property
    def complete(self) -> bool:
        return not (self.missing or self.surplus or self.reshaped)

    def __str__(self) -> str:
        parts = [
            f"missing {few(self.missing)}" if self.missing else "",
            f"not known {few(self.surplus)}" if self.surplus else "",
            few((f"{name} is {shapes}" for name, shapes in self.reshaped.items()), most=3, joint="; "),
        ]
        return "; ".join(part for part in parts if part)


def fit(net: nn.Module, weights: Mapping[str, Tensor]) -> Fit:
    """Compare a state dict with that of the net.

    A file may lack what modules compute themselves, which they name in an attribute `recomputed_buffers`.
    """
    expected = net.state_dict()
    recomputed = {
        f"{prefix}.{name}" if prefix else name
        for prefix, module in net.named_modules()
        for name in getattr(module, "recomputed_buffers", ())
    }
    shared = [name for name in expected if name in weights]
    equal = {name: weights[name].shape == expected[name].shape for name in shared}
    return Fit(
        matched=tuple(name for name in shared if equal[name]),
        missing=tuple(name for name in expected if name not in weights and name not in recomputed),
        surplus=tuple(name for name in weights if name not in expected),
        reshaped={
            name: f"{tuple(weights[name].shape)}, expected {tuple(expected[name].shape)}"
            for name in shared
            if not equal[name]
        },
    )


def few(names: Iterable[object], *, most: int = 4, joint: str = ", ") -> str:
    """The first few of many names, for a message."""
    shown = list(map(str, names))
    return joint.join([*shown[:most], *(["..."] if len(shown) > most else [])])
