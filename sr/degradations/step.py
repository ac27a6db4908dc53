"""What a degradation is made of: stages, which draw, and the steps that they draw.

A *stage* is a distribution: `draw(rng)` gives a step, or None where it does not happen. A *step* is what was drawn: a
frozen dataclass of plain numbers and words, so that it can be written as JSON, and a function of the image alone, so
that applying it again gives the same pixels.
"""

from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Step(Protocol):
    """(H, W, C) float32 in about [0, 1] -> the same, of another size where it resizes.

    `hr_size` is (height, width) of the HR image that the chain began with; resizes refer to it.
    """

    def __call__(self, image: np.ndarray, *, hr_size: tuple[int, int]) -> np.ndarray: ...
