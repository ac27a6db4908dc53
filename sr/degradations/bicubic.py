"""The classical degradation: MATLAB bicubic, nothing else."""

import numpy as np

from sr.ops.image import quantize
from sr.ops.resize import imresize


class BicubicDegradation:
    """Antialiased bicubic downscaling and rounding to 8 bits, as the LR images of the benchmarks are made.

    Args:
        scale: factor by which height and width shrink.
    """

    def __init__(self, *, scale: int) -> None:
        if scale < 1:
            raise ValueError(f"scale={scale} must be 1 or more")
        self.scale = scale
        # Half the width of the stretched kernel: with so many HR pixels around it, a patch degrades exactly as if
        # the whole image had been degraded and the patch cut out afterwards.
        self.margin = 2 * scale

    def __call__(self, hr: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(H, W, C) float32 in [0, 1], H and W multiples of scale -> (H / scale, W / scale, C), same range.

        `rng` is part of what a degradation is called with; this one draws nothing from it.
        """
        height, width = hr.shape[:2]
        return quantize(imresize(hr, size=(height // self.scale, width // self.scale)))
