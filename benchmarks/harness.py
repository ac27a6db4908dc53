"""The code that all benchmarks share: alternating rounds, medians, common options and one form of results.

Import it before torch. It limits every process to one thread, since waiting threads spin, and that makes them many
times slower beside a busy process.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

T = TypeVar("T")


@dataclass(frozen=True)
class Result:
    """One comparison.

    Attributes:
        benchmark: a title that says what was measured.
        unit: the unit of the values, such as "ms".
        values: the measured values of every variant, one for each round. Values with the same index were measured
            in the same round, so they belong together.
        reference: the variant that the others are divided by; None shows no ratios.
    """

    benchmark: str
    unit: str
    values: Mapping[str, Sequence[float]]
    reference: str | None = None

    def ratio(self, variant: str) -> float | None:
        """The median over the rounds of variant / reference, or None without a reference."""
        if self.reference is None:
            return None
        pairs = zip(self.values[variant], self.values[self.reference], strict=True)
        return median(mine / other for mine, other in pairs)

    def __str__(self) -> str:
        width = max(map(len, [self.benchmark, *self.values]))
        head = f"{self.benchmark:{width}} {self.unit:>10} {'lowest':>10} {'highest':>10}"
        lines = [head + ("" if self.reference is None else f" {'ratio':>7}")]
        for variant, values in self.values.items():
            ratio = self.ratio(variant)
            numbers = "".join(f" {number(value):>10}" for value in (median(values), min(values), max(values)))
            lines.append(
                f"{variant:{width}}{numbers}" + ("" if ratio is None else f" {shown_ratio(ratio):>7}")
            )
        return "\n".join(lines)


def number(value: float) -> str:
    """The number as text: whole and with commas from 1000 on, with up to four significant digits below 1000."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def shown_ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def interleave(variants: Mapping[str, Callable[[], T]], *, rounds: int) -> dict[str, list[T]]:
    """Call every variant once in each round, and return the values of each variant in the order of the rounds."""
    measured: dict[str, list[T]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, measure in variants.items():
            measured[name].append(measure())
    return measured


def parser(description: str | None, *, rounds: int | None) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has; `rounds=None` leaves out that of the rounds."""
    made = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    if rounds is not None:
        made.add_argument(
            "--rounds",
            type=int,
            default=rounds,
            help=f"number of measurements of each variant; default: {rounds}",
        )
    made.add_argument("--json", type=Path, help="file to which the numbers are written too")
    return made


def publish(results: Sequence[Result], *, file: Path | None) -> None:
    """Print the tables and, if a file is given, write `[{"benchmark", "unit", "values", "reference"}]` to it."""
    print("\n\n".join(map(str, results)))
    if file is not None:
        file.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")
