import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d

from sr.losses.ms_ssim_l1 import MSSSIML1Loss

RNG = np.random.default_rng(0)
HR = RNG.random((2, 3, 54, 50))
SR = (HR + 0.1 * RNG.normal(size=HR.shape)).clip(0, 1)


def mean(image: np.ndarray, sigma: float, *, cut: int) -> np.ndarray:
    radius = int(np.ceil(3 * sigma))
    window = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
    for axis in (2, 3):
        image = correlate1d(image, window / window.sum(), axis=axis)
    return image[..., cut:-cut, cut:-cut]


def by_scipy(sigmas: list[float], alpha: float) -> float:
    cut = int(np.ceil(3 * max(sigmas)))
    similarity = 1.0
    for sigma in sigmas:
        a, b = mean(SR, sigma, cut=cut), mean(HR, sigma, cut=cut)
        variances = mean(SR**2, sigma, cut=cut) - a**2 + mean(HR**2, sigma, cut=cut) - b**2
        similarity *= (2 * (mean(SR * HR, sigma, cut=cut) - a * b) + 9e-4) / (variances + 9e-4)
        if sigma == max(sigmas):
            similarity *= (2 * a * b + 1e-4) / (a**2 + b**2 + 1e-4)
    distance = mean(np.abs(SR - HR), max(sigmas), cut=cut)
    return float((alpha * (1 - similarity) + (1 - alpha) * distance).mean())


@pytest.mark.parametrize(
    "arguments", [{}, {"alpha": 0.5, "sigmas": [2.0, 0.5]}, {"alpha": 0.0}, {"alpha": 1.0}]
)
def test_it_is_that_of_scipy(arguments: dict) -> None:
    value = MSSSIML1Loss(**arguments)(torch.from_numpy(SR), torch.from_numpy(HR)).item()
    sigmas = arguments.get("sigmas", [0.5, 1, 2, 4, 8])
    assert value == pytest.approx(by_scipy(sigmas, arguments.get("alpha", 0.84)), abs=1e-12)


def test_small_images_are_refused_with_a_way_on() -> None:
    with pytest.raises(ValueError, match=r"49 pixels .* 48 x 60; leave out the largest of sigmas"):
        MSSSIML1Loss()(*torch.zeros(2, 1, 3, 48, 60))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"alpha": 1.1}, "alpha=1.1"),
        ({"alpha": float("nan")}, "alpha=nan"),
        ({"sigmas": []}, r"sigmas=\[\]"),
        ({"sigmas": [1.0, 0.0]}, r"sigmas=\[1.0, 0.0\]"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MSSSIML1Loss(**arguments)
