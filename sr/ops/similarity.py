"""The two factors of structural similarity."""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from sr.ops.shifted_sum import shifted_sum

K1, K2 = 0.01, 0.03


@lru_cache
def gaussian_window(*, size: int, sigma: float) -> tuple[float, ...]:
    """The weights of a Gaussian at `size` positions, an odd number, in pixels around its middle; they sum to 1."""
    offsets = torch.arange(size, dtype=torch.float64) - size // 2
    weights = torch.exp(-offsets.square() / (2 * sigma**2))
    return tuple((weights / weights.sum()).tolist())


def windowed_mean(images: Tensor, window: Sequence[float]) -> Tensor:
    """(N, C, H, W) -> (N, C, H - size + 1, W - size + 1), the means in a square window inside the image."""
    return shifted_sum(shifted_sum(images, window, dim=2), window, dim=3)


def luminance_and_contrast(a: Tensor, b: Tensor, window: Sequence[float]) -> tuple[Tensor, Tensor]:
    """l and cs, both (N, C, H - size + 1, W - size + 1), of images (N, C, H, W) in [0, 1]; their product is SSIM.

    l = (2 mean_a mean_b + K1^2) / (mean_a^2 + mean_b^2 + K1^2), cs = (2 cov_ab + K2^2) / (var_a + var_b + K2^2)

    Source: Wang et al., "Image quality assessment", 2004, with K = 0.01 and 0.03. In single precision
    the variances, small differences of large numbers, are off by 1e-7; cs of a nearly flat image by 2e-4.
    """
    mean_a, mean_b = windowed_mean(a, window), windowed_mean(b, window)
    variance_a = windowed_mean(a.square(), window) - mean_a.square()
    variance_b = windowed_mean(b.square(), window) - mean_b.square()
    covariance = windowed_mean(a * b, window) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + K1**2) / (mean_a.square() + mean_b.square() + K1**2)
    contrast = (2 * covariance + K2**2) / (variance_a + variance_b + K2**2)
    return luminance, contrast
