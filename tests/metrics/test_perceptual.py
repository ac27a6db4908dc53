"""LPIPS and DISTS without their weights: what is handed to the nets, and what is said where there are none."""

import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from helpers import picture
from torch import Tensor, nn

from sr.metrics import perceptual
from sr.metrics.perceptual import Perceptual, PerceptualMetricError
from sr.metrics.protocol import Protocol
from sr.ops.image import to_float, to_tensor
from sr.ops.weight_file import CheckpointError

CPU = torch.device("cpu")


class Distance(nn.Module):
    """Takes what LPIPS and DISTS of torchmetrics take, and keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, a: Tensor, b: Tensor, normalize: bool = False) -> Tensor:
        self.seen = [a, b, torch.tensor(normalize)]
        return (a - b).abs().mean(dim=(1, 2, 3), keepdim=True)


def build(monkeypatch: pytest.MonkeyPatch, names: list[str]) -> tuple[Perceptual, Mapping[str, Distance]]:
    nets = {name: Distance() for name in names}
    monkeypatch.setattr(perceptual, "_need_torchvision", lambda names: None)
    monkeypatch.setattr(perceptual, "_load", nets.__getitem__)
    protocol = Protocol(crop_border=4)
    found = Perceptual(names=names, prepare=protocol.prepare, crop_border=4, device=CPU)
    return found, nets


def test_the_nets_see_the_pixels_that_psnr_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    measure, nets = build(monkeypatch, ["lpips", "dists"])
    hr = to_tensor(to_float(picture(80, 90)))[None]
    sr = hr + 0.2 * torch.randn(hr.shape)
    values = measure(sr, hr)
    assert list(values) == ["lpips", "dists"]
    assert all(value.shape == (1,) for value in values.values())
    for net in nets.values():
        a, b, _ = net.seen
        assert a.shape == b.shape == (1, 3, 72, 82)
        assert a.dtype == torch.float32
        torch.testing.assert_close(a.double(), (sr.double().clamp(0, 1) * 255).round()[..., 4:-4, 4:-4] / 255)
    assert nets["lpips"].seen[2].item() is True  # LPIPS is of images in [-1, 1] unless it is told
    assert measure.smallest == 64 + 8
    assert "lower is better" in measure.describe()["lpips"]
    assert list(measure.describe()) == ["lpips", "dists"]


def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"perceptual=\['lpisp'\]: choose from lpips, dists"):
        build(monkeypatch, ["lpisp"])


def test_without_torchvision_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)  # what `import` finds where it is not installed
    with pytest.raises(
        PerceptualMetricError, match=r"needs torchvision, .* or leave perceptual out: no other"
    ):
        Perceptual(names=["lpips"], prepare=torch.Tensor.double, crop_border=0, device=CPU)


def test_without_its_weights_it_says_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(**_: object) -> None:
        raise URLError("no route to host")

    class Module:
        _NoTrainLpips = staticmethod(offline)

    monkeypatch.setattr(perceptual, "_need_torchvision", lambda names: None)
    monkeypatch.setattr(perceptual.importlib, "import_module", lambda name: Module)
    with pytest.raises(
        PerceptualMetricError, match=r"weights of AlexNet, which are not in .*checkpoints.*no route to host"
    ):
        Perceptual(names=["lpips"], prepare=torch.Tensor.double, crop_border=0, device=CPU)


def test_weights_that_are_not_those_of_their_name_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(perceptual, "_need_torchvision", lambda names: None)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    for name, file in (("lpips", "alexnet-owt-7be5be79.pth"), ("dists", "vgg16-397923af.pth")):
        (tmp_path / "checkpoints" / file).write_bytes(b"other bytes")
        with pytest.raises(CheckpointError, match=rf"{file}: damaged, since its SHA-256 begins with "):
            Perceptual(names=[name], prepare=torch.Tensor.double, crop_border=0, device=CPU)
