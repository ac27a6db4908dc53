"""LPIPS and DISTS as further metrics: what they see, and what is said without their weights."""

from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from helpers import picture
from torchvision_nets import write_features

from sr.features import files
from sr.features.lpips import LPIPS
from sr.metrics.learned import DISTSMetric, LPIPSMetric
from sr.metrics.protocol import Protocol
from sr.ops.image import to_float, to_tensor


def test_they_see_the_pixels_that_psnr_sees(tmp_path: Path) -> None:
    write_features("alexnet", tmp_path / "alex.pth")
    write_features("vgg16", tmp_path / "vgg.pth")
    lpips = LPIPSMetric(weights=str(tmp_path / "alex.pth"))
    measures = {"lpips": lpips, "dists": DISTSMetric(weights=str(tmp_path / "vgg.pth"))}
    protocol = Protocol(crop_border=4, measures=measures)
    hr = to_tensor(to_float(picture(80, 90)))[None].repeat(2, 1, 1, 1)
    sr = hr + 0.2 * torch.randn(hr.shape)
    values = protocol(sr, hr)
    a, b = (((image.double().clamp(0, 1) * 255).round()[..., 4:-4, 4:-4] / 255).float() for image in (sr, hr))
    expected = LPIPS(weights=str(tmp_path / "alex.pth"))(a, b)
    torch.testing.assert_close(values["lpips"], expected)
    assert values["dists"].shape == (2,)
    assert protocol.quantities["lpips"].better == "lower"
    assert "version 0.1 on AlexNet" in protocol.describe()["lpips"]
    assert protocol.smallest == 8 + max(lpips.smallest, 16)
    with pytest.raises(ValueError, match=r"channels=4: .* measure\.lpips\.bands=\[2, 1, 0\]"):
        Protocol(crop_border=4, spaces=["channels"], measures=measures).check_channels(4)


def test_without_weights_it_says_where_they_belong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(url: str) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(files, "wait_for_answer", offline)
    for build, net, name in ((LPIPSMetric, "AlexNet", "lpips"), (DISTSMetric, "VGG16", "dists")):
        with pytest.raises(
            FileNotFoundError,
            match=rf"no {net} weights \(measure\.{name}\.weights\): .*checkpoints.*no route.*leave {name} out",
        ):
            build()


def test_weights_that_are_not_those_of_their_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    for build, net, file in (
        (LPIPSMetric, "AlexNet", "alexnet-owt-7be5be79.pth"),
        (DISTSMetric, "VGG16", "vgg16-397923af.pth"),
    ):
        (tmp_path / "checkpoints" / file).write_bytes(b"other bytes")
        with pytest.raises(ValueError, match=rf"{net} weights .*{file}: "):
            build()


def test_they_see_three_bands_of_many(tmp_path: Path) -> None:
    write_features("alexnet", tmp_path / "alex.pth")
    plain = LPIPSMetric(weights=str(tmp_path / "alex.pth"))
    chosen = LPIPSMetric(weights=str(tmp_path / "alex.pth"), bands=[3, 1, 0])
    sr, hr = torch.rand(2, 1, 5, 64, 64)
    torch.testing.assert_close(chosen(sr, hr), plain(sr[:, [3, 1, 0]], hr[:, [3, 1, 0]]))
    assert "of the bands [3, 1, 0], counted from 0" in chosen.describe()["lpips"]
    protocol = Protocol(crop_border=0, spaces=["channels"], measures={"lpips": chosen})
    protocol.check_channels(5)
    with pytest.raises(ValueError, match=r"measure\.lpips\.bands=\[3, 1, 0\]: images of channels=3"):
        protocol.check_channels(3)
