"""Sharpness of edges beside those of the original."""

import numpy as np
import pytest
import torch
from helpers import picture
from scipy.ndimage import gaussian_filter

from sr.metrics.protocol import Protocol
from sr.metrics.sharpness import Sharpness, gradient_sharpness
from sr.ops.image import to_float, to_tensor


def test_a_ramp_of_half_the_slope_is_half_as_sharp() -> None:
    ramp = torch.linspace(0, 1, 20).expand(1, 3, 10, 20)
    assert gradient_sharpness(ramp / 2, ramp).item() == pytest.approx(0.5)
    turned = ramp.transpose(2, 3)
    assert gradient_sharpness(turned, ramp).item() == pytest.approx(19 / 19, rel=1e-5)
    assert gradient_sharpness(ramp + 0.3, ramp).item() == pytest.approx(1)


def test_against_numpy() -> None:
    hr = to_float(picture(40, 50)).astype(np.float64)
    sr = gaussian_filter(hr, (2, 2, 0))

    def gradient(image: np.ndarray) -> float:
        y = image @ np.array([65.481, 128.553, 24.966])
        right, down = np.diff(y, axis=1)[:-1], np.diff(y, axis=0)[:, :-1]
        return float(np.hypot(right, down).mean())

    found = gradient_sharpness(to_tensor(sr)[None], to_tensor(hr)[None]).item()
    assert found == pytest.approx(gradient(sr) / gradient(hr), rel=1e-5)
    assert 0.1 < found < 0.9


def test_noise_counts_as_sharp_which_is_why_it_is_no_perceptual_metric() -> None:
    hr = to_tensor(to_float(picture(40, 50)))[None]
    assert gradient_sharpness(hr + 0.1 * torch.randn(hr.shape), hr).item() > 1.5


def test_gray_and_multispectral() -> None:
    for channels in (1, 5):
        hr = to_tensor(to_float(picture(20, 20, channels=channels)))[None]
        assert gradient_sharpness(hr / 2, hr).item() == pytest.approx(0.5)


def test_an_original_without_an_edge_is_refused() -> None:
    with pytest.raises(ValueError, match="no meaning for an original of a single colour"):
        gradient_sharpness(torch.rand(1, 3, 8, 8), torch.zeros(1, 3, 8, 8))


def test_it_sees_the_pixels_of_the_protocol() -> None:
    hr = to_tensor(to_float(picture(40, 50)))[None]
    sr = hr.clone()
    sr[..., :4, :] = torch.rand(4, 50)  # in the border
    measure = Sharpness()
    protocol = Protocol(crop_border=4, measures={"sharpness": measure})
    assert protocol(sr, hr)["sharpness"].item() == 1
    assert "no perceptual metric" in measure.describe()["sharpness"]
