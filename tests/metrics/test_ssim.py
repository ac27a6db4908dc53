"""SSIM to the last digit of double precision."""

import numpy as np
import pytest
import torch
from helpers import picture
from torchmetrics.functional.image import structural_similarity_index_measure

from sr.metrics.protocol import Protocol
from sr.metrics.ssim import WINDOW, ssim

RNG = np.random.default_rng(0)
HR = {
    "photograph": picture(48, 60),
    "nearly flat": (200 + RNG.normal(size=(48, 60, 3))).round().astype(np.uint8),
    "bright and flat": (254 + RNG.integers(0, 2, size=(48, 60, 3))).astype(np.uint8),
}


def pair(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    hr = torch.from_numpy(HR[name]).permute(2, 0, 1)[None].double()
    noise = torch.randn(hr.shape, generator=torch.Generator().manual_seed(0)).double().round()
    return (hr + noise).clamp(0, 255) / 255, hr / 255


def by_torchmetrics(sr: torch.Tensor, hr: torch.Tensor) -> float:
    settings = {"data_range": 1.0, "sigma": 1.5, "kernel_size": WINDOW, "return_full_image": True}
    _, places = structural_similarity_index_measure(sr, hr, reduction="none", **settings)
    return float(places[..., 5:-5, 5:-5].mean())


@pytest.mark.parametrize("name", HR)
def test_it_is_that_of_torchmetrics_in_double_precision(name: str) -> None:
    sr, hr = pair(name)
    value = ssim(sr, hr).item()
    assert value == pytest.approx(by_torchmetrics(sr, hr), abs=1e-11)


@pytest.mark.parametrize("name", HR)
def test_the_protocol_rounds_it_once_to_fp32(name: str) -> None:
    sr, hr = pair(name)
    value = Protocol(crop_border=0, spaces=["rgb"])(sr.float(), hr.float())["ssim_rgb"]
    assert value.item() == torch.tensor(by_torchmetrics(sr, hr)).float().item()


def test_the_smallest_image_has_one_place() -> None:
    sr, hr = (image[..., :WINDOW, :WINDOW] for image in pair("photograph"))
    assert ssim(sr, hr).item() == pytest.approx(by_torchmetrics(sr, hr), abs=1e-11)
    assert ssim(hr, hr).item() == pytest.approx(1, abs=1e-12)
