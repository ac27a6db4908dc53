"""Noise has the distribution that its numbers promise, and stays in range."""

import math

import numpy as np
import pytest
from degradation_steps import PHOTO, applied
from scipy import stats

from sr.degradations.noise import GaussianNoise, PoissonNoise


@pytest.mark.parametrize("color", ["color", "gray"])
def test_gaussian_noise_is_normal_with_its_sigma(color: str) -> None:
    flat = np.full((200, 200, 3), 0.5, np.float32)
    noise = (GaussianNoise(sigma=10.0, color=color, seed=3)(flat, hr_size=(1, 1)) - 0.5) * 255
    assert abs(noise.std() - 10) < 0.15
    assert abs(noise.mean()) < 0.15
    assert stats.kstest(noise[::3, ::3, 0].ravel(), stats.norm(0, 10).cdf).pvalue > 1e-3
    same = np.array_equal(noise[:, :, 0], noise[:, :, 1])
    assert same == (color == "gray")


def test_correlated_noise_is_correlated() -> None:
    flat = np.full((200, 200, 3), 0.5, np.float32)
    noise = GaussianNoise(sigma=10.0, color="correlated", seed=3)(flat, hr_size=(1, 1)) - 0.5
    correlation = np.corrcoef(noise.reshape(-1, 3).T)
    off_diagonal = np.abs(correlation[np.triu_indices(3, 1)])
    assert 0.05 < off_diagonal.max() < 0.999


@pytest.mark.parametrize("level", [1, 20, 128, 250])
def test_poisson_noise_has_the_distribution_of_its_mean(level: int) -> None:
    """The peak is 2^ceil(log2(distinct levels)): 256 here."""
    ramp = np.arange(256, dtype=np.float32).repeat(300)[:, None, None].repeat(3, axis=2) / 255
    noisy = PoissonNoise(strength=0.25, color="color", seed=5)(ramp, hr_size=(1, 1))
    at = ramp[:, 0, 0] == np.float32(level / 255)
    counts = ((noisy[at] - level / 255) / 0.25 + level / 255) * 256
    mean = level / 255 * 256
    kept = (noisy[at] > 0) & (noisy[at] < 1)
    np.testing.assert_allclose(counts[kept], counts[kept].round(), atol=0.02)
    if kept.all():
        assert abs(counts.mean() - mean) < 4 * math.sqrt(mean / counts.size)
        assert abs(counts.var() / mean - 1) < 0.2
        found = np.sort(counts.round().ravel())
        cdf = np.searchsorted(found, np.arange(600), side="right") / found.size
        assert np.abs(cdf - stats.poisson(mean).cdf(np.arange(600))).max() < 0.06


def test_poisson_noise_of_an_image_with_few_levels_is_strong() -> None:
    """Two levels give a peak of 2: the noise of so few photons."""
    two = np.where(np.arange(400)[:, None, None] % 2, 0.4, 0.6).repeat(100, 1).repeat(3, 2).astype(np.float32)
    noise = PoissonNoise(strength=0.1, color="color", seed=0)(two, hr_size=(1, 1)) - two
    expected = 0.1 * math.sqrt((102 / 255 / 2 + 153 / 255 / 2) / 2)  # variance of k / peak is mean / peak
    assert abs(noise.std() / expected - 1) < 0.03


def test_gray_poisson_noise_is_the_same_in_all_channels() -> None:
    noise = PoissonNoise(strength=0.2, color="gray", seed=0)(PHOTO * 0.5 + 0.2, hr_size=(1, 1)) - (
        PHOTO * 0.5 + 0.2
    )
    np.testing.assert_allclose(noise[:, :, 0], noise[:, :, 2], atol=1e-6)
    assert noise.std() > 0.005


def test_noise_stays_in_range() -> None:
    for step in (
        GaussianNoise(sigma=200.0, color="color", seed=0),
        PoissonNoise(strength=3.0, color="color", seed=0),
    ):
        result = applied(step)
        assert result.min() == 0
        assert result.max() == 1
