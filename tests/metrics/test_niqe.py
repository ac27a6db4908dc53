"""NIQE: its pieces against what they are by definition, and a whole value against the field's implementation."""

import cv2
import numpy as np
import pytest
import torch
from helpers import picture
from scipy.stats import gennorm
from skimage.data import astronaut

from sr.metrics.niqe import NIQEMetric, _generalised_gaussian, _statistics, _without_contrast, niqe
from sr.metrics.protocol import Protocol
from sr.ops.image import to_float, to_tensor


def test_shapes_of_known_distributions_are_found() -> None:
    rng = np.random.default_rng(0)
    for shape in (0.8, 1.0, 2.0, 3.5):
        found, left, right = _generalised_gaussian(
            gennorm.rvs(shape, scale=1.5, size=400_000, random_state=rng)
        )
        assert found == pytest.approx(shape, rel=0.02)
        assert (left, right) == (pytest.approx(1.5, rel=0.02), pytest.approx(1.5, rel=0.02))
    # Two halves of different width meet at zero, so the wider one has more values.
    values = np.abs(rng.normal(size=400_000)) * np.where(rng.random(400_000) < 2 / 3, 2, -1)
    found, left, right = _generalised_gaussian(values)
    assert found == pytest.approx(2, rel=0.02)
    assert right / left == pytest.approx(2, rel=0.02)


def test_contrast_is_divided_out() -> None:
    image = picture(96, 96, channels=1)[..., 0].astype(np.float64)
    normalised = _without_contrast(image)
    y, x = 40, 50
    offsets = np.arange(-3, 4)
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * (7 / 6) ** 2))  # a Gaussian of 7/6 pixels
    window /= window.sum()
    around = image[y - 3 : y + 4, x - 3 : x + 4]
    mean = (window * around).sum()
    deviation = np.sqrt((window * (around - mean) ** 2).sum())
    assert normalised[y, x] == pytest.approx((image[y, x] - mean) / (deviation + 1), rel=1e-5)


def test_a_block_has_eighteen_statistics_of_which_noise_has_known_ones() -> None:
    tile = np.random.default_rng(1).normal(size=(96, 96))
    shape, width, *products = _statistics(tile)
    assert shape == pytest.approx(2, abs=0.15)
    assert width == pytest.approx(np.sqrt(2), rel=0.05)  # the scale of exp(-(x / s)^2) with deviation 1
    assert len(products) == 16
    assert (
        np.abs(products[1::4]).max() < 0.1
    )  # neighbours of noise are independent: the mean of products is 0


def test_a_value_is_that_of_the_field() -> None:
    """BasicSR's value of the same gray image, with a half-size image in double precision as MATLAB's is."""
    image = picture(300, 400, seed=3, channels=1)[..., 0].astype(np.float64)
    noisy = (image + np.random.default_rng(0).normal(scale=9, size=image.shape)).clip(0, 255).round()
    assert niqe(noisy) == pytest.approx(13.628072325852, abs=1e-6)


def test_blur_and_noise_are_less_natural() -> None:
    image = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY).astype(np.float64)
    blurred = cv2.GaussianBlur(image, (0, 0), 2).round()
    noisy = (image + np.random.default_rng(0).normal(scale=25, size=image.shape)).clip(0, 255).round()
    assert niqe(image) + 1 < min(niqe(blurred), niqe(noisy))


def test_it_is_of_the_luma_inside_the_border_and_does_not_look_at_hr() -> None:
    colour = to_tensor(to_float(picture(212, 230)))[None]
    protocol = Protocol(crop_border=8, measures={"niqe": NIQEMetric()})
    first, second = (protocol(colour, hr)["niqe"] for hr in (colour, torch.rand_like(colour)))
    assert first.equal(second)
    weights = torch.tensor([65.481, 128.553, 24.966], dtype=torch.float64)[:, None, None]
    levels = (colour[0].double() * 255).round() / 255
    luma = ((levels * weights).sum(dim=0) + 16).round()[8:-8, 8:-8]
    assert first.item() == pytest.approx(niqe(luma.numpy()), rel=1e-6)
    small = colour[..., :207]
    with pytest.raises(
        ValueError, match=r"an image of 207 x 212 pixels is too small .* niqe of 192 pixels: 208"
    ):
        protocol(small, small)
