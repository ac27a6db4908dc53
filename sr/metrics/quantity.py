"""What a metric says about its values: which direction is better, and how they are printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # sr.config imports this file, and torch takes seconds
    from torch import Tensor

HIGHER, LOWER, NEITHER = "higher", "lower", "neither"
ADVICE = {HIGHER: "higher is better", LOWER: "lower is better", NEITHER: ""}


@dataclass(frozen=True)
class Quantity:
    """One value of a metric.

    Attributes:
        better: the direction that is better: `higher`, `lower` or `neither`.
        digits: Python's format of the printed value, as `.2f`.
        unit: the unit of the value, as `dB`; empty for none.
        title: the name of the value in pictures and pages, as `PSNR on Y`; empty for the name in the metric.
    """

    better: str
    digits: str
    unit: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        if self.better not in ADVICE:
            raise ValueError(f"better={self.better!r}: choose one of {', '.join(ADVICE)}")
        try:
            self.text(1.0)
        except ValueError as error:
            raise ValueError(f"digits={self.digits!r}: {error}; write it like .4f") from error

    @property
    def advice(self) -> str:
        """`lower is better`; empty where neither direction is."""
        return ADVICE[self.better]

    def gain(self, value: float, *, over: float = 0.0) -> float:
        """How much better one value is than another; how much higher, where neither direction is better."""
        return over - value if self.better == LOWER else value - over

    def text(self, value: float, *, sign: bool = False) -> str:
        """`31.02`, or `+0.31` of a difference."""
        # z: a negative value that rounds to zero is printed without its sign.
        return format(value, ("+" if sign else "") + "z" + self.digits)

    def measured(self, value: float, *, sign: bool = False) -> str:
        """The value with its unit: `31.02 dB`."""
        return f"{self.text(value, sign=sign)} {self.unit}".rstrip()

    def titled(self, name: str) -> str:
        """The title; where there is none, the name that the metric has for the value."""
        return self.title or name


class Metric(Protocol):
    """SR and HR images, (N, C, H, W), nominally in [0, 1] -> name -> one value per image, (N,).

    Attributes:
        quantities: name -> what its values are.
        smallest: the smallest height and width of an image in pixels.
    """

    @property
    def quantities(self) -> Mapping[str, Quantity]: ...
    @property
    def smallest(self) -> int: ...
    def __call__(self, sr: "Tensor", hr: "Tensor") -> "Mapping[str, Tensor]": ...


def quantities_of(metric: Any) -> Mapping[str, Quantity]:
    """The quantities of a metric. Raises ValueError where it does not say which direction is better."""
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
    """Raises ValueError where `monitor` is not the name of a metric, or neither of its directions is better."""
    choices = [name for name, quantity in quantities.items() if quantity.better != NEITHER]
    if monitor not in choices:
        raise ValueError(
            f"{key}={monitor}: choose one of {', '.join(choices)}; measure=[NAME,...] adds further metrics"
        )


def measure(
    metric: Metric, sr: "Tensor", hr: "Tensor", *, valid: "Tensor | None" = None
) -> "dict[str, Tensor]":
    """The values of a metric in the order of its `quantities`. Raises ValueError where the names differ.

    Args:
        metric: the metric. One whose attribute `takes_valid` is true gets `valid` by keyword, to count nothing else.
            Any other sees SR with the values of HR where there is no data.
        sr: (N, C, H, W).
        hr: (N, C, H, W).
        valid: (N, C, H, W) bool, where HR has data; None where all of it has, and then no metric hears of it.
    """
    values: Mapping[str, Tensor]
    if valid is None:
        values = metric(sr, hr)
    elif getattr(metric, "takes_valid", False):
        values = metric(sr, hr, valid=valid)  # type: ignore[call-arg]
    else:
        values = metric(sr.where(valid, hr), hr)
    if values.keys() != metric.quantities.keys():
        raise ValueError(
            f"{type(metric).__qualname__} returns {', '.join(values)}, but its `quantities` are"
            f" {', '.join(metric.quantities)}"
        )
    return {name: values[name] for name in metric.quantities}
