"""The mix of multi-scale structural similarity and L1."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from sr.losses.comparable import comparable
from sr.ops.similarity import gaussian_window, luminance_and_contrast, windowed_mean


class MSSSIML1Loss(nn.Module):
    """mean over positions of alpha * (1 - l_M * prod_j cs_j) + (1 - alpha) * G_M(|sr - hr|)

    l_j and cs_j are the factors of SSIM in a Gaussian window of sigma_j, and G_M is the mean in the window of the
    largest sigma. Unlike `MSSSIMLoss` it does not shrink the image: the windows grow. All exponents are 1, so negative
    contrast has a gradient like any other.

    Source: Zhao, Gallo, Frosio and Kautz, "Loss Functions for Image Restoration with Neural Networks", IEEE TCI 2017,
    sec. III, with its alpha = 0.84 and its five sigmas. A window reaches 3 sigma, and positions count where the largest
    one lies inside the image; the paper has one such position per patch.

    Shapes: `sr` and `hr` (N, C, H, W) in [0, 1], H and W at least 6 max(sigmas) + 1 (49 pixels); returns a scalar of
    at least float32, which is 0 for equal images.

    Args:
        alpha: the share of MS-SSIM, from 0 to 1.
        sigmas: the sigma in pixels of each scale's window.

    Raises:
        ValueError: `alpha` or a sigma is out of range, images are smaller than the largest window, or shapes differ.
    """

    def __init__(self, *, alpha: float = 0.84, sigmas: Sequence[float] = (0.5, 1.0, 2.0, 4.0, 8.0)) -> None:
        super().__init__()
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha={alpha} must be at least 0 and at most 1")
        if not (sigmas and all(math.isfinite(sigma) and sigma > 0 for sigma in sigmas)):
            raise ValueError(f"sigmas={list(sigmas)} must be one or more finite numbers above 0")
        self.alpha = alpha
        self.windows = [gaussian_window(size=_width(sigma), sigma=sigma) for sigma in sorted(sigmas)]

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        sr, hr = comparable(sr, hr)
        height, width = sr.shape[-2:]
        *smaller, largest = self.windows
        if min(height, width) < len(largest):
            raise ValueError(
                f"MS-SSIM and L1 in windows of {len(largest)} pixels (6 times the largest of sigmas, and 1) cannot be "
                f"computed for images of {height} x {width}; leave out the largest of sigmas, or take larger patches "
                "(data.hr_patch_size)"
            )
        luminance, contrast = luminance_and_contrast(sr, hr, largest)
        similarity = luminance * contrast
        for window in smaller:
            cut = (len(largest) - len(window)) // 2  # to the positions of the largest window
            inner = (..., slice(cut, height - cut), slice(cut, width - cut))
            similarity = similarity * luminance_and_contrast(sr[inner], hr[inner], window)[1]
        distance = windowed_mean((sr - hr).abs(), largest)
        return (self.alpha * (1 - similarity) + (1 - self.alpha) * distance).mean()


def _width(sigma: float) -> int:
    return 2 * math.ceil(3 * sigma) + 1
