import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from sr.losses.edge import EdgeLoss

KERNEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8


def test_it_is_that_of_scipy() -> None:
    sr, hr = np.random.default_rng(0).random((2, 2, 3, 7, 9))
    total = 0.0
    for kernel in (KERNEL, KERNEL.T):
        pairs = zip(sr.reshape(-1, 7, 9), hr.reshape(-1, 7, 9), strict=True)
        edges = [[correlate2d(image, kernel, mode="valid") for image in pair] for pair in pairs]
        total += np.mean([np.abs(mine - wanted) for mine, wanted in edges])
    assert EdgeLoss()(torch.from_numpy(sr), torch.from_numpy(hr)).item() == pytest.approx(total, rel=1e-12)


def test_a_ramp_has_its_slope_and_a_constant_nothing() -> None:
    ramp = (torch.arange(6.0) * 0.1).expand(1, 1, 5, 6)
    assert EdgeLoss()(ramp + 0.3, torch.zeros_like(ramp)).item() == pytest.approx(0.1)
    assert EdgeLoss()(ramp + 0.3, ramp).item() == pytest.approx(0, abs=1e-7)


def test_images_without_an_inner_pixel_are_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 3 x 3 .* \(1, 3, 2, 9\)"):
        EdgeLoss()(*torch.zeros(2, 1, 3, 2, 9))
