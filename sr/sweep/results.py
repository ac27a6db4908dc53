"""The results of a sweep that its picture shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sr.sweep.importance import Importance
from sr.sweep.parameters import Parameter
from sr.sweep.pareto import MAXIMIZE, Objective, front

BEST, OTHER = "#d9480f", "#1d5fc4"  # colours of jobs
LONGEST = 22  # characters of a label
FEW = 5  # different numbers that each have a label


@dataclass(frozen=True)
class Results:
    """The jobs of a sweep that have a result.

    Attributes:
        objectives: the columns that were measured.
        values: job number -> value of each objective.
        parameters: the keys that the jobs varied.
        of: the number of all jobs, those without a result too.
        importance: the importance of the parameters; empty where it is not known.
    """

    objectives: Sequence[Objective]
    values: Mapping[int, Sequence[float]]
    parameters: Sequence[Parameter]
    of: int
    importance: Importance

    def best(self) -> set[int]:
        """The jobs that no other beats."""
        jobs = list(self.values)
        return {jobs[place] for place in front(list(self.values.values()), self.objectives)}


def better(objective: Objective) -> str:
    """The direction of an objective in words."""
    return "higher is better" if objective.direction == MAXIMIZE else "lower is better"


def short(text: str) -> str:
    """A text that is cut where it is too long for a label."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
