"""The log-spectral distance: what a filter takes away is what it says."""

import pytest
import torch

from sr.metrics.spectrum import LogSpectralDistance, radial_spectrum


def test_a_wave_is_at_its_frequency() -> None:
    """A cosine of amplitude a has the power of a white image of the variance a^2 / 2, all at one frequency."""
    place = torch.arange(64, dtype=torch.float64) / 64
    for frequency in (5, 12):
        image = 0.5 + 0.25 * torch.cos(2 * torch.pi * frequency * place).expand(1, 1, 64, 64)
        spectrum = radial_spectrum(image)[0]
        assert spectrum.argmax() + 1 == frequency
        assert spectrum[frequency - 1] > 100 * spectrum[frequency + 3]


def test_white_noise_is_flat_at_its_variance() -> None:
    noise = 0.5 + 0.1 * torch.randn(16, 1, 96, 128, dtype=torch.float64)
    spectrum = radial_spectrum(noise).mean(dim=0)
    assert spectrum.shape == (48,)
    torch.testing.assert_close(spectrum[4:], torch.full_like(spectrum[4:], 0.01), rtol=0.1, atol=0)


def test_twice_the_amplitude_is_six_decibels() -> None:
    hr = 0.5 + 0.1 * torch.randn(2, 3, 64, 64, dtype=torch.float64)
    sr = torch.stack([0.5 + 2 * (hr[0] - 0.5), hr[1]])
    found = LogSpectralDistance()(sr, hr)["lsd"]
    assert found.tolist() == [pytest.approx(6.02, abs=0.05), 0]
