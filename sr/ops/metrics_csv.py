"""Reading the metrics.csv of a run, even while it is being written."""

import csv
from pathlib import Path

Column = list[tuple[int, float]]


def read_columns(file: Path) -> dict[str, Column]:
    """Metric -> [(iteration, value)] in order; empty if the file does not exist yet."""
    columns: dict[str, Column] = {}
    if not file.is_file():
        return columns
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            for name, value in row.items():
                if value and row.get("step") and name not in ("step", "epoch"):
                    columns.setdefault(name, []).append((int(row["step"]) + 1, float(value)))
    return columns
