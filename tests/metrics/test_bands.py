"""ERGAS and the spectral angle against numpy, on images of five bands."""

import numpy as np
import pytest
import torch

from sr.metrics.bands import ERGAS, SpectralAngle
from sr.metrics.protocol import Protocol


def pair() -> tuple[torch.Tensor, torch.Tensor]:
    hr = 0.2 + 0.6 * torch.rand(2, 5, 24, 28, dtype=torch.float64)
    return (hr + 0.05 * torch.randn(hr.shape)).clamp(0, 1), hr


def test_ergas() -> None:
    sr, hr = pair()
    found = ERGAS(scale=4)(sr, hr)["ergas"]
    for value, a, b in zip(found.tolist(), sr.numpy(), hr.numpy(), strict=True):
        errors = ((a - b) ** 2).mean(axis=(1, 2)) / b.mean(axis=(1, 2)) ** 2
        assert value == pytest.approx(100 / 4 * np.sqrt(errors.mean()), rel=1e-6)
    with pytest.raises(ValueError, match="scale=0 must be 1 or more"):
        ERGAS(scale=0)


def test_the_angle() -> None:
    sr, hr = pair()
    found = SpectralAngle()(sr, hr)["sam"]
    for value, a, b in zip(found.tolist(), sr.numpy(), hr.numpy(), strict=True):
        cosine = (a * b).sum(axis=0) / np.linalg.norm(a, axis=0) / np.linalg.norm(b, axis=0)
        assert value == pytest.approx(np.arccos(cosine).mean(), rel=1e-6)
    assert SpectralAngle()(hr / 2, hr)["sam"].abs().max() < 1e-6  # brightness is no angle


def test_pixels_without_light_have_no_angle() -> None:
    hr = torch.ones(1, 2, 4, 4, dtype=torch.float64)
    sr = hr * torch.tensor([1.0, 0.0])[:, None, None]
    sr[..., 0] = 0
    assert SpectralAngle()(sr, hr)["sam"].item() == pytest.approx(torch.pi / 4)


def test_they_are_of_any_number_of_bands() -> None:
    measures = {"ergas": ERGAS(scale=2), "sam": SpectralAngle()}
    protocol = Protocol(crop_border=2, spaces=["channels"], measures=measures)
    protocol.check_channels(5)
    assert [*protocol(*pair())] == ["psnr_channels", "ssim_channels", "mse", "ergas", "sam"]
