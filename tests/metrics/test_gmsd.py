"""GMSD against scipy's filters."""

import numpy as np
import pytest
import torch
from helpers import picture
from scipy.ndimage import prewitt

from sr.metrics.gmsd import GMSD
from sr.ops.image import to_float, to_tensor


def reference(sr: np.ndarray, hr: np.ndarray) -> float:
    """On gray images in [0, 255], as the paper has it: averages of 2 x 2, Prewitt / 3, T = 170."""
    magnitudes = []
    for image in (sr, hr):
        small = (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]) / 4
        gradients = [prewitt(small, axis=axis)[1:-1, 1:-1] / 3 for axis in (0, 1)]
        magnitudes.append(np.hypot(*gradients))
    g, h = magnitudes
    return float(((2 * g * h + 170) / (g**2 + h**2 + 170)).std())


def test_against_scipy() -> None:
    hr = to_tensor(to_float(picture(50, 62, channels=1))).double()
    sr = (hr + 0.1 * torch.randn(hr.shape)).clamp(0, 1)
    found = GMSD()(torch.stack([sr, hr]), torch.stack([hr, hr]))["gmsd"]
    expected = reference(*(255 * image[0].numpy() for image in (sr, hr)))
    assert expected > 0.05
    assert found.tolist() == [pytest.approx(expected, rel=1e-9), 0]
