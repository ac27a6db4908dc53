"""Sharpened HR as the target of content losses."""

import numpy as np

from sr.degradations.filter import unsharp_mask


class UnsharpMask:
    """Real-ESRGAN's sharpening of HR (sec. 3.4): a net that learns from it is sharp without overshoot.

    Args:
        weight: the factor of the detail that is added.
        radius: the taps of the Gaussian; an even number is raised by one.
        threshold: the amplitude, in levels of 255, below which detail is left as it is.

    Raises:
        ValueError: names the key and the value.
    """

    def __init__(self, *, weight: float = 0.5, radius: int = 50, threshold: float = 10) -> None:
        for key, value, least in (("weight", weight, 0), ("radius", radius, 1), ("threshold", threshold, 0)):
            if value < least:
                raise ValueError(f"sharpen.{key}={value} must be {least} or more")
        self.weight = weight
        self.radius = radius
        self.threshold = threshold

    def __call__(self, hr: np.ndarray) -> np.ndarray:
        """(H, W, C) float32 in [0, 1] -> the same."""
        return unsharp_mask(hr, weight=self.weight, radius=self.radius, threshold=self.threshold)
