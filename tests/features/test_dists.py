"""DISTS against the implementation inside torchmetrics, with the same random features and the published weights."""

from pathlib import Path

import pytest
import torch
from torchmetrics.functional.image.dists import DISTSNetwork
from torchvision_nets import stand_in, write_features

from sr.features.dists import DISTS, L2Pool


def test_it_is_the_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, write_features("vgg16", tmp_path / "net.pth"))
    reference = DISTSNetwork()
    ours = DISTS(weights=str(tmp_path / "net.pth"))
    a, b = torch.rand(2, 2, 3, 50, 65)
    b = 0.5 * a + 0.5 * b
    expected = reference(a, b)
    assert (expected > 0.01).all()
    torch.testing.assert_close(ours(a, b), expected, rtol=1e-4, atol=1e-5)
    assert ours(a, a).abs().max() < 1e-5


def test_pooling_is_the_root_of_the_mean_power_under_a_window() -> None:
    value = torch.zeros(1, 2, 5, 5)
    value[0, :, 2, 2] = torch.tensor([3.0, -4.0])
    pooled = L2Pool(2)(value)
    assert pooled.shape == (1, 2, 3, 3)
    # The window is (1, 2, 1) / 4 along each axis, so its middle is 1 / 4.
    torch.testing.assert_close(pooled[0, :, 1, 1], torch.tensor([1.5, 2.0]))


def test_gradients_are_finite_for_a_flat_image(tmp_path: Path) -> None:
    write_features("vgg16", tmp_path / "net.pth")
    flat = torch.full((1, 3, 32, 32), 0.5, requires_grad=True)
    distance = DISTS(weights=str(tmp_path / "net.pth"))(flat, torch.rand(1, 3, 32, 32)).sum()
    (gradient,) = torch.autograd.grad(distance, flat)
    assert gradient.isfinite().all()
