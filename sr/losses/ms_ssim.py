"""Structural similarity at several scales."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from sr.losses.comparable import comparable
from sr.ops.similarity import gaussian_window, luminance_and_contrast

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, the finest first
WINDOW, SIGMA = 11, 1.5  # pixels
# A mean below it has no power whose gradient would be of any use: NaN below 0, and infinite at 0.
FLOOR = 1e-4


class MSSSIMLoss(nn.Module):
    """1 - mean over images of prod over scales j of s_j^weight_j

    s_j is the mean of contrast and structure cs over channels and positions, at the coarsest scale that of l * cs.
    From scale to scale, means of 2 x 2 pixels halve the images. An s_j below 1e-4, as of images that are negatives of
    each other, counts as 1e-4 and gives no gradient: a power of a negative number would be NaN.

    Source: Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality assessment", Asilomar 2003,
    with its five weights, and window and constants of SSIM (Wang et al., 2004); windows lie inside the image. The
    five scales need images of 176 x 176 pixels. Fewer scales leave out the coarsest ones, and the weights
    of the others are divided by their sum.

    Shapes: `sr` and `hr` (N, C, H, W) in [0, 1], H and W at least 11 * 2^(scales - 1); returns a scalar of at
    least float32 from 0, for equal images, to 1.

    Args:
        scales: the number of scales, from 1 (SSIM) to 5.

    Raises:
        ValueError: `scales` is out of range, images are too small for it, or shapes differ.
    """

    def __init__(self, *, scales: int = len(WEIGHTS)) -> None:
        super().__init__()
        if not 1 <= scales <= len(WEIGHTS):
            raise ValueError(f"scales={scales} must be at least 1 and at most {len(WEIGHTS)}")
        self.scales = scales
        self.window = gaussian_window(size=WINDOW, sigma=SIGMA)
        self.weights = [weight / sum(WEIGHTS[:scales]) for weight in WEIGHTS[:scales]]

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        sr, hr = comparable(sr, hr)
        self._check_size(*sr.shape[-2:])
        similarity = sr.new_ones(len(sr))
        for scale, weight in enumerate(self.weights, start=1):
            luminance, contrast = luminance_and_contrast(sr, hr, self.window)
            places = luminance * contrast if scale == self.scales else contrast
            similarity = similarity * places.mean(dim=(1, 2, 3)).clamp(min=FLOOR) ** weight
            if scale < self.scales:
                sr, hr = F.avg_pool2d(sr, 2), F.avg_pool2d(hr, 2)
        return (1 - similarity).mean()

    def _check_size(self, height: int, width: int) -> None:
        side = min(height, width)
        needed = WINDOW * 2 ** (self.scales - 1)
        if side >= needed:
            return
        possible = int(math.log2(side // WINDOW)) + 1 if side >= WINDOW else 0
        way = f"set scales={possible}, or take" if possible else "take"
        raise ValueError(
            f"MS-SSIM with scales={self.scales} needs images of at least {needed} x {needed} pixels and got "
            f"{height} x {width}; {way} larger patches (data.hr_patch_size)"
        )
