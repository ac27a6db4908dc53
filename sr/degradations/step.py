"""The parts of a degradation: stages, which draw, and the steps that they draw.

A *stage* is a distribution: `draw(rng)` gives a step, or None when the stage does not happen. A *step* is the result of
a draw: a frozen dataclass of plain numbers and words, which can be written as JSON, and a function of the image alone,
which gives the same pixels when it is applied again.
"""

from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Step(Protocol):
    """(H, W, C) float32 in about [0, 1] -> the same, of another size where it resizes.

    `hr_size` is (height, width) of the HR image that the chain began with; resizes refer to it.
    """

    def __call__(self, image: np.ndarray, *, hr_size: tuple[int, int]) -> np.ndarray: ...
