"""Sharpened HR as the target of content losses."""

import numpy as np

from sr.degradations.draws import checked_range
from sr.ops.filter import unsharp_mask


class UnsharpMask:
    """Real-ESRGAN's sharpening of HR (sec. 3.4): a net that learns from it is sharp without overshoot.

    Args:
        weight: of the detail that is added.
        radius: taps of the Gaussian, made odd.
        threshold: detail below it, in levels of 255, is left as it is.

    Raises:
        ValueError: names the key and the value.
    """

    def __init__(self, *, weight: float = 0.5, radius: int = 50, threshold: float = 10) -> None:
        checked_range("weight, highest", (0, weight))
        checked_range("radius, highest", (1, radius))
        checked_range("threshold, highest", (0, threshold), most=255)
        self.weight = weight
        self.radius = radius
        self.threshold = threshold

    def __call__(self, hr: np.ndarray) -> np.ndarray:
        """(H, W, C) float32 in [0, 1] -> the same."""
        return unsharp_mask(hr, weight=self.weight, radius=self.radius, threshold=self.threshold)
