"""What several tests need."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]


def picture(height: int, width: int, *, seed: int = 0, channels: int = 3) -> np.ndarray:
    """A smooth random uint8 image with some edges: something that a net could learn from."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(height, width, channels)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3).reshape(height, width, channels)
    smooth += np.float32(0.1) * (smooth > 0)
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return np.asarray((smooth * 255).astype(np.uint8))


def run_program(*arguments: str, cwd: Path = ROOT, timeout: int = 240) -> subprocess.CompletedProcess[str]:
    """Run train.py or evaluate.py as a user would."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False
    )
