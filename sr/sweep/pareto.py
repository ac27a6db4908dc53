"""Objectives of a search, and the best jobs when there are several objectives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sr.metrics.quantity import HIGHER, LOWER, Quantity

MAXIMIZE, MINIMIZE = "maximize", "minimize"


@dataclass(frozen=True)
class Objective:
    """A column of metrics.csv, whose last value counts, and the direction in which it is better."""

    metric: str
    direction: str = MAXIMIZE

    def __post_init__(self) -> None:
        if self.direction not in (MAXIMIZE, MINIMIZE):
            raise ValueError(f"direction={self.direction}: choose one of {MAXIMIZE}, {MINIMIZE}")

    def score(self, value: float) -> float:
        """A value for which more is better."""
        return value if self.direction == MAXIMIZE else -value


def objective(column: str, direction: str | None, quantities: Mapping[str, Quantity]) -> Objective:
    """Make an objective; without a direction it takes that of the metric in the column, such as `val/psnr_y`.

    Args:
        column: the column of metrics.csv.
        direction: `maximize`, `minimize` or None.
        quantities: the quantities of the run's metric.

    Raises:
        ValueError: no direction is given, and no metric knows one.
    """
    if direction is not None:
        return Objective(column, direction)
    found = quantities.get(column.removeprefix("val/")) if column.startswith("val/") else None
    directions = {HIGHER: MAXIMIZE, LOWER: MINIMIZE}
    if found is None or found.better not in directions:
        known = ", ".join(f"val/{name}" for name, each in quantities.items() if each.better in directions)
        raise ValueError(
            f"objective {column} needs a direction, {MAXIMIZE} or {MINIMIZE}; those that have one: {known}"
        )
    return Objective(column, directions[found.better])


def front(points: Sequence[Sequence[float]], objectives: Sequence[Objective]) -> list[int]:
    """The indices of the points that no other point beats by being as good in all objectives and better in one."""
    scores = [
        [objective.score(value) for objective, value in zip(objectives, point, strict=True)]
        for point in points
    ]

    def beaten(mine: list[float]) -> bool:
        return any(
            other != mine and all(theirs >= own for theirs, own in zip(other, mine, strict=True))
            for other in scores
        )

    return [place for place, mine in enumerate(scores) if not beaten(mine)]
