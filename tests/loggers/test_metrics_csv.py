"""metrics.csv while a run goes on, and when it is resumed."""

import csv
from pathlib import Path

from sr.loggers.metrics_csv import MetricsCSV
from sr.ops.metrics_csv import read_columns


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_there_at_once_and_columns_grow(tmp_path: Path) -> None:
    path = tmp_path / "run" / "metrics.csv"
    logger = MetricsCSV(path=str(path))
    logger.log_metrics({"train/loss": 0.5, "epoch": 0}, step=9)
    assert rows(path) == [{"epoch": "0", "iteration": "9", "train/loss": "0.5"}]
    logger.log_metrics({"val/psnr": 30.0, "epoch": 0}, step=9)
    logger.log_metrics({"train/loss": 0.25, "epoch": 1}, step=19)
    assert rows(path) == [
        {"epoch": "0", "iteration": "9", "train/loss": "0.5", "val/psnr": ""},
        {"epoch": "0", "iteration": "9", "train/loss": "", "val/psnr": "30.0"},
        {"epoch": "1", "iteration": "19", "train/loss": "0.25", "val/psnr": ""},
    ]


def test_a_new_run_replaces_and_a_resumed_one_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    first = MetricsCSV(path=str(path))
    for step in (10, 20, 30):
        first.log_metrics({"loss": step}, step=step)
    resumed = MetricsCSV(path=str(path))
    resumed.rewind(20)  # the checkpoint was that of 20 iterations
    resumed.log_metrics({"loss": 0.5, "other": 1.0}, step=30)
    found = [(row["iteration"], row["loss"]) for row in rows(path)]
    assert found == [("10", "10.0"), ("20", "20.0"), ("30", "0.5")]
    fresh = MetricsCSV(path=str(path))
    fresh.log_metrics({"loss": 1.0}, step=9)
    assert len(rows(path)) == 1
    MetricsCSV(path=str(tmp_path / "none.csv")).rewind(5)
    assert not (tmp_path / "none.csv").exists()


def test_a_file_of_version_0_1_goes_on_with_the_numbers_of_today(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,loss,step\n0,1.0,9\n0,2.0,19\n0,3.0,29\n")
    assert read_columns(path) == {"loss": [(10, 1.0), (20, 2.0), (30, 3.0)]}
    resumed = MetricsCSV(path=str(path))
    resumed.rewind(20)
    resumed.log_metrics({"loss": 0.5, "epoch": 0}, step=30)
    assert read_columns(path) == {"loss": [(10, 1.0), (20, 2.0), (30, 0.5)]}
    assert "step" not in path.read_text()
