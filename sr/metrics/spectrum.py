"""The log-spectral distance: which frequencies are missing from an image, or were invented."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from sr.metrics.color import luma
from sr.metrics.measure import Measure
from sr.metrics.quantity import LOWER, Quantity

_NOISE = 1 / (12 * 255**2)  # the power of rounding to 8 bits, below which a spectrum says nothing


class LogSpectralDistance(Measure):
    """sqrt(mean over frequencies f of (10 log10 (P_sr(f) / P_hr(f)))^2) in dB: 0 for equal spectra, lower is better.

    P is the power spectrum of luma under a Hann window, averaged over all directions, at the frequencies from 1 to half
    the shorter side in cycles per image. A blurred image lacks high frequencies; a GAN's checkerboard shows as a peak.
    Sources: Gray and Markel, "Distance Measures for Speech Processing", IEEE TASSP 1976 (the distance); Durall et al.,
    "Watch your Up-Convolution", CVPR 2020 (the spectrum over directions).
    """

    quantities = MappingProxyType(
        {"lsd": Quantity(better=LOWER, digits=".2f", unit="dB", title="log-spectral distance")}
    )
    smallest = 16

    def describe(self) -> dict[str, str]:
        return {
            "lsd": "log-spectral distance of luma (or gray), power averaged over all directions; lower is better"
        }

    @torch.no_grad()
    def __call__(self, sr: Tensor, hr: Tensor) -> Mapping[str, Tensor]:
        ours, theirs = (radial_spectrum(images) + _NOISE for images in (sr, hr))
        return {"lsd": (10 * (ours / theirs).log10()).square().mean(dim=1).sqrt()}


def radial_spectrum(images: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, min(H, W) // 2): the mean power at each frequency, in the units of a pixel's square."""
    gray = (luma(images) if images.shape[1] == 3 else images.mean(dim=1, keepdim=True))[:, 0]
    height, width = gray.shape[-2:]
    window = torch.outer(*(torch.hann_window(size, periodic=False).to(gray) for size in (height, width)))
    power = torch.fft.fft2((gray - gray.mean(dim=(1, 2), keepdim=True)) * window).abs().square()
    power = power / window.square().sum()
    # In cycles per image of the shorter side, so that directions agree where the image is not square.
    shorter = min(height, width)
    down, right = (torch.fft.fftfreq(size, device=gray.device) * shorter for size in (height, width))
    radius = (down[:, None].square() + right.square()).sqrt().round().long().flatten()
    counts = torch.bincount(radius)
    sums = power.new_zeros(len(images), len(counts)).index_add_(1, radius, power.flatten(1))
    spectrum: Tensor = (sums / counts)[:, 1 : shorter // 2 + 1]
    return spectrum
