"""LPIPS against the implementation inside torchmetrics, with the same random features and the published weights."""

from pathlib import Path

import pytest
import torch
from torchmetrics.functional.image.lpips import _LPIPS
from torchvision_nets import stand_in, write_features

from sr.features.lpips import LAYERS, LPIPS

THEIRS = {"alexnet": "alex", "vgg16": "vgg", "squeezenet": "squeeze"}


@pytest.mark.parametrize("net", THEIRS)
def test_it_is_the_reference(net: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    features = write_features(net, tmp_path / "net.pth")
    stand_in(monkeypatch, features)
    reference = _LPIPS(net=THEIRS[net])  # type: ignore[arg-type]
    ours = LPIPS(net=net, weights=str(tmp_path / "net.pth"))
    a, b = torch.rand(2, 2, 3, 72, 65)
    expected = reference(a, b, normalize=True).flatten()
    assert (expected > 0.01).all()
    torch.testing.assert_close(ours(a, b), expected, rtol=1e-4, atol=1e-5)
    assert ours(a, a).tolist() == [0, 0]
    assert len(LAYERS[net]) == reference.L


def test_gradients_are_finite_where_features_are_zero(tmp_path: Path) -> None:
    write_features("alexnet", tmp_path / "net.pth")
    lpips = LPIPS(weights=str(tmp_path / "net.pth"))
    flat = torch.zeros(1, 3, 64, 64, requires_grad=True)
    (gradient,) = torch.autograd.grad(lpips(flat, torch.rand(1, 3, 64, 64)).sum(), flat)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


def test_an_unknown_net_is_refused_with_the_choices() -> None:
    with pytest.raises(ValueError, match="net=vgg19: choose one of alexnet, vgg16, squeezenet"):
        LPIPS(net="vgg19")


def test_images_may_be_as_small_as_it_says(tmp_path: Path) -> None:
    write_features("alexnet", tmp_path / "net.pth")
    lpips = LPIPS(weights=str(tmp_path / "net.pth"))
    side = lpips.min_size
    assert lpips(*torch.rand(2, 1, 3, side, side)).isfinite().all()
    with pytest.raises(ValueError, match=rf"too small for AlexNet's relu5: it needs at least {side}x{side}"):
        lpips(*torch.rand(2, 1, 3, side - 1, side))
