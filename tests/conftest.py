"""Everything is small, seeded, offline and on one thread."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.update(
    NO_ALBUMENTATIONS_UPDATE="1", WANDB_MODE="offline", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1"
)

import cv2
import pytest
import torch
from helpers import picture

from sr.pictures.writing import write_png

torch.set_num_threads(1)
cv2.setNumThreads(0)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _no_run_of_wandb_stays_open() -> Iterator[None]:
    """A run that stays open would take what a later test logs."""
    yield
    if "wandb" in sys.modules and (left := sys.modules["wandb"].run) is not None:
        left.finish()
        pytest.fail(f"the W&B run {left.id} is still open")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A directory of four HR images of different sizes, one in a subdirectory."""
    root = tmp_path / "photos"
    for number, (name, size) in enumerate(
        {"a.png": (64, 72), "b.png": (80, 66), "deep/c.png": (70, 90), "d.png": (97, 64)}.items()
    ):
        write_png(root / name, picture(*size, seed=number))
    return root


@pytest.fixture
def heeding_ctrl_c() -> Iterator[None]:
    """A shell starts what it runs in the background with Ctrl-C ignored, and so do our children then."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
