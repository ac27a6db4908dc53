"""What a metric says of itself: which way its values are better, and how many of their digits are worth reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

HIGHER, LOWER, NEITHER = "higher", "lower", "neither"
ADVICE = {HIGHER: "more is better", LOWER: "less is better", NEITHER: ""}


@dataclass(frozen=True)
class Quantity:
    """One value of a metric.

    Attributes:
        better: `higher`, `lower`, or `neither` for what has no better side.
        digits: how it is printed, as Python's format has it: `.2f`.
        unit: `dB`, or nothing.
    """

    better: str
    digits: str
    unit: str = ""

    def __post_init__(self) -> None:
        if self.better not in ADVICE:
            raise ValueError(f"better={self.better!r}: choose one of {', '.join(ADVICE)}")
        try:
            self.text(1.0)
        except ValueError as error:
            raise ValueError(f"digits={self.digits!r}: {error}; write it like .4f") from error

    @property
    def advice(self) -> str:
        """`less is better`; empty where neither is."""
        return ADVICE[self.better]

    def gain(self, value: float, *, over: float = 0.0) -> float:
        """How much better one value is than another; of what has no better side, how much higher."""
        return over - value if self.better == LOWER else value - over

    def text(self, value: float, *, sign: bool = False) -> str:
        """`31.02`, or `+0.31` of a difference."""
        # z: what rounds to zero has no sign of its own.
        return format(value, ("+" if sign else "") + "z" + self.digits)


class Metric(Protocol):
    """What validation computes: SR and HR, (N, C, H, W), nominally in [0, 1] -> name -> (N,).

    Attributes:
        quantities: what each of those values is, by name.
        smallest: height and width that an image needs.
    """

    @property
    def quantities(self) -> Mapping[str, Quantity]: ...
    @property
    def smallest(self) -> int: ...
    def __call__(self, sr: Tensor, hr: Tensor) -> Mapping[str, Tensor]: ...


def quantities_of(metric: Any) -> Mapping[str, Quantity]:
    """Raises ValueError where a metric does not say which way it is better."""
    found = getattr(metric, "quantities", None)
    if (
        not isinstance(found, Mapping)
        or not found
        or not all(isinstance(q, Quantity) for q in found.values())
    ):
        name = f"{type(metric).__module__}.{type(metric).__qualname__}"
        raise ValueError(
            f"metric={name} does not say which way is better: it needs an attribute `quantities`, such as"
            ' {"mae": sr.metrics.quantity.Quantity(better="lower", digits=".4f")}, with every name that it returns'
        )
    return found


def check_monitor(monitor: str, quantities: Mapping[str, Quantity], *, key: str = "monitor") -> None:
    """Raises ValueError where it is no metric, or one without a better side, by which no state is the best."""
    choices = [name for name, quantity in quantities.items() if quantity.better != NEITHER]
    if monitor not in choices:
        raise ValueError(f"{key}={monitor}: choose one of {', '.join(choices)}")


def measure(metric: Metric, sr: Tensor, hr: Tensor) -> dict[str, Tensor]:
    """The values in the order of `quantities`. Raises ValueError where those are others."""
    values = metric(sr, hr)
    if values.keys() != metric.quantities.keys():
        raise ValueError(
            f"metric={type(metric).__qualname__} returns {', '.join(values)}, but its `quantities` are"
            f" {', '.join(metric.quantities)}"
        )
    return {name: values[name] for name in metric.quantities}
