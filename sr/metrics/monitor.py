"""Which of several validated states is the best: by one metric, by a weighted sum, or within a margin of another."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sr.metrics.quantity import Quantity, check_monitor

Values = Mapping[str, float]  # name of a metric -> its value


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """A choice among states by the metrics of their validation.

    The states that are within every margin of the best value of that metric come first, by their score: the sum of
    weight times value, a value counting as negative where lower is better. The others follow by how far they are out.

    Attributes:
        best: name of a metric -> its weight in the score; the weight of a single one does not matter.
        within: name of a metric -> the margin, in the unit of the metric.
    """

    best: Mapping[str, float]
    within: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, chosen: str | Mapping[str, Any], *, key: str = "monitor") -> Self:
        """The choice that a configuration describes: `lpips`, or `{best: lpips, within: {psnr_y: 0.3}}`.

        `best` is a name, or names with weights: `{psnr_y: 1, lpips: 20}`.

        Raises:
            ValueError: names what is missing, unknown or out of range.
        """
        if isinstance(chosen, str):
            return cls(best={chosen: 1.0})
        if not isinstance(chosen, Mapping) or "best" not in chosen or not chosen.keys() <= {"best", "within"}:
            raise ValueError(
                f"{key}={chosen}: write the name of a metric, or {{best: lpips, within: {{psnr_y: 0.3}}}}, where best"
                " may have names with weights, as {psnr_y: 1, lpips: 20}, and within may be left out"
            )
        best = {chosen["best"]: 1.0} if isinstance(chosen["best"], str) else chosen["best"]
        return cls(
            best=_positive(best, key=f"{key}.best"),
            within=_positive(chosen["within"], key=f"{key}.within") if chosen.get("within") else {},
        )

    @property
    def name(self) -> str:
        """The first metric of `best`, for what shows a single one."""
        return next(iter(self.best))

    @property
    def names(self) -> list[str]:
        """All metrics that the choice looks at."""
        return [*dict.fromkeys([*self.best, *self.within])]

    def check(self, quantities: Mapping[str, Quantity], *, key: str = "monitor") -> None:
        """Raises ValueError for a name that is no metric, or a metric of which neither direction is better."""
        for name in self.names:
            check_monitor(name, quantities, key=key)

    def kept(self, states: Sequence[Values], quantities: Mapping[str, Quantity], *, count: int) -> list[int]:
        """The indices of the states to keep, the best first; of equal ones the first comes first.

        These are the first `count`, and those that can be among them after a later state has raised the bar: within all
        margins, and with fewer than `count` others that are as good in everything.
        """
        gains = [self._gains(state, quantities) for state in states]
        short = [self._shortfall(each, gains) for each in gains]
        order = sorted(range(len(states)), key=lambda index: (short[index], -gains[index][0]))
        return [
            index
            for rank, index in enumerate(order)
            if rank < count or (not short[index] and _dominators(index, gains) < count)
        ]

    def _gains(self, state: Values, quantities: Mapping[str, Quantity]) -> tuple[float, ...]:
        """The score, and the values of `within`, each so that higher is better; a NaN is worse than any number."""
        score = sum(weight * quantities[name].gain(state[name]) for name, weight in self.best.items())
        gains = (score, *(quantities[name].gain(state[name]) for name in self.within))
        return tuple(-math.inf if math.isnan(gain) else gain for gain in gains)

    def _shortfall(self, gains: Sequence[float], of_all: Sequence[Sequence[float]]) -> float:
        """By how many margins a state lies outside of them; 0 inside."""
        outside = [0.0]
        for index, margin in enumerate(self.within.values(), start=1):
            bar = max(each[index] for each in of_all) - margin
            if gains[index] < bar:
                outside.append((bar - gains[index]) / margin)
        return max(outside)


def monitored(chosen: str | Mapping[str, Any]) -> str:
    """The metric that shows, sorts and compares where only one can: `${monitored:${monitor}}` in YAML."""
    return Monitor.of(chosen).name


def _positive(numbers: Any, *, key: str) -> dict[str, float]:
    if not isinstance(numbers, Mapping) or not numbers:
        raise ValueError(f"{key}={numbers}: write names of metrics with numbers, as {{psnr_y: 0.3}}")
    for name, number in numbers.items():
        if not isinstance(number, int | float) or not 0 < number < math.inf:
            raise ValueError(f"{key}.{name}={number} must be a positive number")
    return {str(name): float(number) for name, number in numbers.items()}


def _dominators(index: int, gains: Sequence[Sequence[float]]) -> int:
    """The number of other states that are as good in everything; of equal ones, those before."""
    mine = gains[index]
    return sum(
        all(a >= b for a, b in zip(theirs, mine, strict=True)) and (theirs != mine or other < index)
        for other, theirs in enumerate(gains)
        if other != index
    )
