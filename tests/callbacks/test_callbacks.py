from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import picture

from sr.callbacks.progress import planned_iterations
from sr.callbacks.samples import panel
from sr.ops.image import to_float, to_tensor
from sr.ops.metrics_csv import read_columns


def test_panel_lays_lr_sr_and_hr_in_a_row() -> None:
    hr = picture(16, 20)
    lr = hr[::4, ::4]
    row = panel(*(to_tensor(to_float(image)) for image in (lr, hr, hr)))
    assert row.shape == (16, 3 * 20 + 2 * 4, 3)
    np.testing.assert_array_equal(row[:, :20], lr.repeat(4, axis=0).repeat(4, axis=1))  # pixels can be seen
    np.testing.assert_array_equal(row[:, 24:44], hr)
    np.testing.assert_array_equal(row[:, 48:], hr)


def test_panel_shows_gray() -> None:
    gray = torch.rand(1, 8, 8)
    assert panel(gray[:, ::2, ::2], gray, gray).shape == (8, 32, 3)


def test_series_skip_empty_cells_and_count_from_one(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(
        "epoch,step,train/loss_g,val/psnr_y\n0,9,0.5,\n0,9,,28.5\n0,19,0.25,\n"
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
