"""A CSV file of metrics, which a resumed run continues."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from sr.ops.metrics_csv import ITERATION, iteration_of
from sr.ops.whole_file import replacing


class MetricsCSV(Logger):
    """Writes one row for all metrics that are logged together; cells without a value are empty.

    A row is in the file as soon as it is logged. A new metric rewrites the file with one column more.

    Args:
        path: the CSV file; a file of an earlier run is replaced, unless `rewind` was called.
    """

    def __init__(self, *, path: str) -> None:
        super().__init__()
        self.path = Path(path)
        self._columns: list[str] = []

    @property
    def name(self) -> str:
        return "csv"

    @property
    def version(self) -> str:
        return ""

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing to do: config.yaml is in the same directory already."""

    @rank_zero_only
    def rewind(self, iteration: int) -> None:
        """Keep the rows of the first `iteration` iterations, to continue after them."""
        if self.path.is_file():
            rows = [{**row, ITERATION: iteration_of(row)} for row in self._rows()]
            rows = [
                {key: row[key] for key in row if key != "step"} for row in rows if row[ITERATION] <= iteration
            ]
            self._columns = list(rows[0]) if rows else []
            self._write_all(rows)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        row = {**{key: float(value) for key, value in metrics.items()}, ITERATION: step or 0}
        row = {key: int(value) if key in (ITERATION, "epoch") else value for key, value in row.items()}
        if set(row) <= set(self._columns):
            with self.path.open("a", newline="") as file:
                csv.DictWriter(file, self._columns).writerow(row)
        else:
            rows = self._rows() if self._columns else []
            self._columns = sorted({*self._columns, *row})
            self._write_all([*rows, row])

    def _rows(self) -> list[dict[str, Any]]:
        with self.path.open(newline="") as file:
            return list(csv.DictReader(file))

    def _write_all(self, rows: list[dict[str, Any]]) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path) as file:
            file.write(text.getvalue().encode())
