from pathlib import Path
from types import SimpleNamespace

import pytest

from sr.callbacks.progress import planned_iterations
from sr.ops.metrics_csv import read_columns


def test_series_skip_empty_cells(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(
        "epoch,iteration,train/loss_g,val/psnr_y\n0,10,0.5,\n0,10,,28.5\n0,20,0.25,\n"
    )
    assert read_columns(tmp_path / "metrics.csv") == {
        "train/loss_g": [(10, 0.5), (20, 0.25)],
        "val/psnr_y": [(10, 28.5)],
    }


@pytest.mark.parametrize(
    ("max_epochs", "max_steps", "expected"),
    [(3, -1, 30), (3, 20, 20), (-1, 20, 20), (-1, -1, None), (None, 7, 7)],
)
def test_planned_iterations(max_epochs: int | None, max_steps: int, expected: int | None) -> None:
    trainer = SimpleNamespace(max_epochs=max_epochs, max_steps=max_steps, num_training_batches=10)
    assert planned_iterations(trainer) == expected
