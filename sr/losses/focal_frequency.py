"""A distance of spectra that weighs the frequencies which are hard to match."""

import math

import torch
from torch import Tensor, nn

from sr.losses.comparable import comparable


class FocalFrequencyLoss(nn.Module):
    """mean over frequencies of w |F(sr) - F(hr)|^2,  w = |F(sr) - F(hr)|^alpha / its largest value

    F is the orthonormal discrete Fourier transform of each channel. The weights w, in [0, 1], are constants to the
    gradient.

    Source: Jiang, Dai, Wu and Loy, "Focal Frequency Loss for Image Reconstruction and Synthesis", ICCV 2021. With
    alpha = 0 it is the mean squared error of pixels (Parseval).

    Shapes: `sr` and `hr` (N, C, H, W) in [0, 1], H and W multiples of `patch_factor`; returns a scalar of at least
    float32, which is 0 for equal images.

    Args:
        alpha: the exponent of the weights, 0 or more; more looks at fewer frequencies.
        patch_factor: the number of patches per side that an image is cut into; each has a spectrum of its own.
        ave_spectrum: True compares the mean spectra of the batch.
        log_matrix: True takes log(1 + weight) before the division by the largest.
        batch_matrix: True divides by the largest weight of the whole batch, False by that of each spectrum.

    Raises:
        ValueError: `alpha` or `patch_factor` is out of range, sides of images are no multiples of `patch_factor`, or
            shapes differ.
    """

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        patch_factor: int = 1,
        ave_spectrum: bool = False,
        log_matrix: bool = False,
        batch_matrix: bool = False,
    ) -> None:
        super().__init__()
        if not (math.isfinite(alpha) and alpha >= 0):
            raise ValueError(f"alpha={alpha} must be finite and at least 0")
        if patch_factor < 1:
            raise ValueError(f"patch_factor={patch_factor} must be at least 1")
        self.alpha = alpha
        self.patch_factor = patch_factor
        self.ave_spectrum = ave_spectrum
        self.log_matrix = log_matrix
        self.batch_matrix = batch_matrix

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        sr, hr = comparable(sr, hr)
        # The transform is linear, so the difference of spectra, and of their means, is the spectrum of the difference.
        difference = torch.fft.fft2(self._patches(sr - hr), norm="ortho")
        if self.ave_spectrum:
            difference = difference.mean(dim=0, keepdim=True)
        power = difference.real.square() + difference.imag.square()
        weighted: Tensor = self._weights(power.detach()) * power
        return weighted.mean()

    def _patches(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, p, p, H / p, W / p)."""
        height, width = images.shape[-2:]
        if height % self.patch_factor or width % self.patch_factor:
            raise ValueError(
                f"patch_factor={self.patch_factor} must divide the sides of the images, {height} x {width} pixels"
            )
        count = self.patch_factor
        patches = images.reshape(*images.shape[:-2], count, height // count, count, width // count)
        return patches.transpose(-3, -2)

    def _weights(self, power: Tensor) -> Tensor:
        weights = power ** (self.alpha / 2)
        if self.log_matrix:
            weights = weights.log1p()
        largest = weights.max() if self.batch_matrix else weights.amax(dim=(-2, -1), keepdim=True)
        return weights / largest.clamp(min=torch.finfo(weights.dtype).tiny)
