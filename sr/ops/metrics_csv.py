"""Reading the metrics.csv of a run, even while it is being written."""

import csv
from collections.abc import Mapping
from pathlib import Path

Column = list[tuple[int, float]]
ITERATION = "iteration"
POSITION = (ITERATION, "step", "epoch")  # columns that say where a row belongs


def read_columns(file: Path) -> dict[str, Column]:
    """Metric -> [(iteration, value)] in order; empty if the file does not exist yet."""
    columns: dict[str, Column] = {}
    if not file.is_file():
        return columns
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            if row.get(ITERATION) or row.get("step"):  # otherwise the row is not written to its end yet
                for name, value in row.items():
                    if value and name not in POSITION:
                        columns.setdefault(name, []).append((iteration_of(row), float(value)))
    return columns


def iteration_of(row: Mapping[str, str]) -> int:
    """The number of iterations after which a row was logged. Files of version 0.1 have a `step` that begins at 0."""
    return int(row[ITERATION]) if row.get(ITERATION) else int(row["step"]) + 1
