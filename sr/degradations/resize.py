"""Resizing: up, down or not at all by plain interpolation, and MATLAB's antialiased bicubic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from sr.degradations import draws
from sr.ops.resize import imresize

# Only area averages when it shrinks; the aliasing of the others is part of the degradation.
MODES = {
    "area": cv2.INTER_AREA,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    # A pixel of the middle, half an HR pixel off where the scale is even; INTER_NEAREST takes the upper left one and so
    # shifts the picture by up to half an LR pixel.
    "nearest": cv2.INTER_NEAREST_EXACT,
}
DIRECTIONS = ("up", "down", "keep")


@dataclass(frozen=True, kw_only=True)
class Resize:
    """Resize to a fraction of the size of HR, whatever the present size is.

    Attributes:
        fraction: the fraction of the height and width of HR that the result has, rounded down.
        mode: the interpolation, one of `MODES`.
    """

    fraction: float
    mode: str

    def __call__(self, image: np.ndarray, *, hr_size: tuple[int, int]) -> np.ndarray:
        # 1/3 of 402 is 133.99999999999997 or 134, depending on how it is calculated.
        height, width = (max(1, int(side * self.fraction + 1e-6)) for side in hr_size)
        if image.shape[:2] == (height, width):
            return image
        # OpenCV takes at most four channels at once.
        parts = [image] if image.shape[2] <= 4 else np.split(image, image.shape[2], axis=2)
        resized = [cv2.resize(part, (width, height), interpolation=MODES[self.mode]) for part in parts]
        return np.dstack(resized) if len(resized) > 1 else np.asarray(resized[0]).reshape(height, width, -1)


class RandomResize:
    """Enlarges, shrinks, or keeps the size; Real-ESRGAN sec. 3.2.

    Args:
        directions: the probabilities of `up`, `down` and `keep`.
        factor: the lowest and the highest factor; `up` draws above 1, `down` below.
        modes: interpolations, out of `MODES`, that are equally likely.
        scale: the factor refers to HR / scale; 1 refers to HR itself.

    Raises:
        ValueError: names the key, the value and the choices.
    """

    def __init__(
        self,
        *,
        directions: Mapping[str, float],
        factor: Sequence[float],
        modes: Sequence[str] = ("area", "bilinear", "bicubic"),
        scale: int = 1,
    ) -> None:
        self.directions = draws.checked_probabilities("directions", directions, choices=DIRECTIONS)
        low, high = draws.checked_range("factor", factor, least=0.01)
        if not low <= 1 <= high:
            raise ValueError(f"factor=[{low}, {high}] must reach from below 1 (down) to above 1 (up)")
        self.factors = {"up": (1.0, high), "down": (low, 1.0), "keep": (1.0, 1.0)}
        self.modes = draws.checked_choices("modes", modes, choices=list(MODES))
        self.scale = draws.checked_scale(scale)

    def draw(self, rng: np.random.Generator) -> Resize:
        direction = draws.choose(rng, self.directions)
        factor = draws.uniform(rng, self.factors[direction])
        return Resize(fraction=factor / self.scale, mode=draws.pick(rng, self.modes))


class ResizeToLR:
    """Resize to HR / scale, the size with which the chain has to end.

    Args:
        scale: factor between LR and HR.
        modes: interpolations, out of `MODES`, that are equally likely.

    Raises:
        ValueError: names the mode and the choices.
    """

    def __init__(self, *, scale: int, modes: Sequence[str] = ("area", "bilinear", "bicubic")) -> None:
        self.scale = draws.checked_scale(scale)
        self.modes = draws.checked_choices("modes", modes, choices=list(MODES))

    def draw(self, rng: np.random.Generator) -> Resize:
        return Resize(fraction=1 / self.scale, mode=draws.pick(rng, self.modes))


@dataclass(frozen=True, kw_only=True)
class MatlabBicubic:
    """Antialiased bicubic downscaling, as the LR images of the benchmarks are made: a stage with nothing to draw.

    Attributes:
        scale: factor by which height and width shrink.

    Raises:
        ValueError: scale is less than 1.
    """

    scale: int

    def __post_init__(self) -> None:
        draws.checked_scale(self.scale)

    def draw(self, rng: np.random.Generator) -> Self:
        return self

    def __call__(self, image: np.ndarray, *, hr_size: tuple[int, int]) -> np.ndarray:
        height, width = hr_size
        return imresize(image, size=(height // self.scale, width // self.scale))
