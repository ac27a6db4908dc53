"""What is best when there is more than one thing to be good at."""

from collections.abc import Sequence
from dataclasses import dataclass

from sr.metrics.direction import lower_is_better

MAXIMIZE, MINIMIZE = "maximize", "minimize"


@dataclass(frozen=True)
class Objective:
    """A column of metrics.csv, whose last value counts, and which way is better."""

    metric: str
    direction: str = MAXIMIZE

    def __post_init__(self) -> None:
        if self.direction not in (MAXIMIZE, MINIMIZE):
            raise ValueError(f"direction={self.direction}: choose one of {MAXIMIZE}, {MINIMIZE}")

    def score(self, value: float) -> float:
        """More is better."""
        return value if self.direction == MAXIMIZE else -value


def objective(metric: str, direction: str | None = None) -> Objective:
    """Without a direction, that of the metric, which a validation (`val/psnr_y`) alone has."""
    if direction is not None:
        return Objective(metric, direction)
    name = metric.removeprefix("val/")
    if name == metric:
        raise ValueError(f"objective {metric} needs a direction: {MAXIMIZE} or {MINIMIZE}")
    return Objective(metric, MINIMIZE if lower_is_better(name) else MAXIMIZE)


def front(points: Sequence[Sequence[float]], objectives: Sequence[Objective]) -> list[int]:
    """Places of the points that no other point beats: at least as good in all, better in one."""
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
