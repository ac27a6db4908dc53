"""What is best when there is more than one thing to be good at."""

from collections.abc import Sequence
from dataclasses import dataclass

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
