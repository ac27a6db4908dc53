"""A distance of the colours of large areas."""

import torch.nn.functional as F
from torch import Tensor, nn

from sr.losses.comparable import comparable
from sr.ops.oklab import oklab
from sr.ops.pyramid import check_levels, reduced


class ColourLoss(nn.Module):
    """mean |ab(low(sr)) - ab(low(hr))|

    low reduces the sRGB image `levels` times (each a binomial low-pass of 5 x 5 taps and every other pixel: Burt and
    Adelson, 1983), and ab are the two chroma coordinates of Oklab (Ottosson, "A perceptual color space for image
    processing", 2020). Lightness and detail change next to nothing, so it is no loss on its own; it holds the hue of
    areas while other losses make detail.

    Values outside [0, 1] are clamped, after the low-pass, and give no gradient. Cone responses below one step of 8
    bits count as one step: the cube root of Oklab would have an infinite gradient at black.

    Shapes: `sr` and `hr` (N, 3, H, W) sRGB in [0, 1], H and W at least 2^levels + 1; returns a scalar of at least
    float32, which is 0 for equal images; a and b lie within about 0.4.

    Args:
        levels: the number of reductions, 1 or more; 3 compares an eighth of the size.

    Raises:
        ValueError: `levels` is below 1, images are too small for it or not RGB, or shapes differ.
    """

    def __init__(self, *, levels: int = 3) -> None:
        super().__init__()
        if levels < 1:
            raise ValueError(f"levels={levels} must be at least 1")
        self.levels = levels

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        sr, hr = comparable(sr, hr)
        if sr.shape[1] != 3:
            raise ValueError(f"colours need RGB images, got {sr.shape[1]} channels; leave this loss out")
        check_levels(self.levels, size=sr.shape[-2:])
        for _ in range(self.levels):
            sr, hr = reduced(sr), reduced(hr)
        return F.l1_loss(oklab(sr)[:, 1:], oklab(hr)[:, 1:])
