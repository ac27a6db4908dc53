"""What the jobs of a sweep varied: the values of each parameter, and where they lie on an axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10

from sr.sweep.job import Job

DECADES = 10.0  # the ratio of the largest and the smallest value from which on an axis is logarithmic


@dataclass(frozen=True)
class Parameter:
    """One key that the jobs of a sweep have different values of.

    Attributes:
        key: the key, as `optimizer_g.lr`.
        texts: job number -> value, as typed.
        numbers: job number -> value, where all values are numbers; empty otherwise.
    """

    key: str
    texts: Mapping[int, str]
    numbers: Mapping[int, float]

    @property
    def logarithmic(self) -> bool:
        """Whether all values are numbers above zero that span a factor of ten."""
        values = self.numbers.values()
        return bool(values) and min(values) > 0 and max(values) >= DECADES * min(values)

    @property
    def categories(self) -> list[str]:
        """The different values as typed, in their first order; empty for numbers."""
        return [] if self.numbers else list(dict.fromkeys(self.texts.values()))

    @property
    def name(self) -> str:
        """The end of the key that says enough: `optimizer_g.lr`, `num_feat`."""
        return ".".join(self.key.split(".")[-2:])

    def place(self, job: int) -> float:
        """The place of a job on the axis: a number, its logarithm, or the place among the categories."""
        if not self.numbers:
            return float(self.categories.index(self.texts[job]))
        return log10(self.numbers[job]) if self.logarithmic else self.numbers[job]


def varied(jobs: Sequence[Job], shown: Mapping[int, Mapping[str, str]]) -> list[Parameter]:
    """The parameters that at least two of the jobs have different values of.

    Args:
        jobs: the jobs with a result.
        shown: job number -> override key -> value as it is shown, without the overrides that all jobs share.
    """
    keys = dict.fromkeys(key for job in jobs for key in shown[job.number])
    found = []
    for key in keys:
        # A job without the key has the default, which the command line does not tell.
        texts = {job.number: shown[job.number].get(key, "default") for job in jobs}
        if len(set(texts.values())) > 1:
            numbers = {number: _number(text) for number, text in texts.items()}
            known = {number: value for number, value in numbers.items() if value is not None}
            found.append(Parameter(key, texts, known if len(known) == len(texts) else {}))
    return found


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
