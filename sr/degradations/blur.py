"""Blur by a random kernel: Gaussian, generalised Gaussian, plateau, or sinc (ringing)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sr.degradations import draws, kernels
from sr.degradations.filter import convolve

FAMILIES = ("iso", "aniso", "generalized_iso", "generalized_aniso", "plateau_iso", "plateau_aniso")


@dataclass(frozen=True, kw_only=True)
class Blur:
    """Convolution with a kernel of one of the six `FAMILIES`, mirrored at the border.

    Attributes:
        family: the kind of kernel.
        size: taps along each axis.
        sigma_x: standard deviation in pixels.
        sigma_y: the standard deviation across, for an anisotropic kernel; None takes sigma_x.
        rotation: the angle of an anisotropic kernel in radians; None for an isotropic one.
        beta: exponent of a generalised or a plateau kernel.
    """

    family: str
    size: int
    sigma_x: float
    sigma_y: float | None = None
    rotation: float | None = None
    beta: float | None = None

    @cached_property
    def kernel(self) -> np.ndarray:
        """The kernel, (size, size), which sums to 1."""
        sigma_y = self.sigma_x if self.sigma_y is None else self.sigma_y
        shape = {"sigma_x": self.sigma_x, "sigma_y": sigma_y, "rotation": self.rotation or 0.0}
        beta = 1.0 if self.beta is None else self.beta
        if self.family.startswith("generalized"):
            return kernels.generalized_gaussian(self.size, beta=beta, **shape)
        if self.family.startswith("plateau"):
            return kernels.plateau(self.size, beta=beta, **shape)
        return kernels.gaussian(self.size, **shape)

    def __call__(self, image: np.ndarray, *, hr_size: tuple[int, int]) -> np.ndarray:
        return convolve(image, kernel=self.kernel)


@dataclass(frozen=True, kw_only=True)
class Sinc:
    """The ideal low-pass filter, cut to a window: overshoot and ringing (Real-ESRGAN, sec. 3.3).

    Attributes:
        size: taps along each axis.
        cutoff: the cutoff frequency in radians per pixel; pi passes everything.
    """

    size: int
    cutoff: float

    @cached_property
    def kernel(self) -> np.ndarray:
        """The kernel, (size, size), which sums to 1."""
        return kernels.sinc(self.size, cutoff=self.cutoff)

    def __call__(self, image: np.ndarray, *, hr_size: tuple[int, int]) -> np.ndarray:
        return convolve(image, kernel=self.kernel)


class RandomBlur:
    """Real-ESRGAN's kernels (sec. 3.1 and the published option files).

    Args:
        probability: the probability that there is a blur.
        families: name -> probability, for names out of `FAMILIES`.
        sinc_probability: the probability that the kernel is a sinc instead.
        size: taps, odd, each equally likely.
        sigma: the range of standard deviations in pixels; an anisotropic kernel draws one for each axis, and a
            rotation.
        generalized_beta: the range of exponents of the generalized Gaussians; if it contains 1, half of the draws are
            below 1 and half above.
        plateau_beta: the range of exponents of the plateaus, in the same way.

    Raises:
        ValueError: names the key, the value and the choices.
    """

    def __init__(
        self,
        *,
        families: Mapping[str, float],
        sigma: Sequence[float],
        size: Sequence[int] = (7, 21),
        probability: float = 1.0,
        sinc_probability: float = 0.0,
        generalized_beta: Sequence[float] = (0.5, 4.0),
        plateau_beta: Sequence[float] = (1.0, 2.0),
    ) -> None:
        self.families = draws.checked_probabilities("families", families, choices=FAMILIES)
        self.sigma = draws.checked_range("sigma", sigma, least=0.01)
        self.size = draws.checked_odd_range("size", size)
        self.probability = draws.checked_probability("probability", probability)
        self.sinc_probability = draws.checked_probability("sinc_probability", sinc_probability)
        self.generalized_beta = draws.checked_range("generalized_beta", generalized_beta, least=0.1)
        self.plateau_beta = draws.checked_range("plateau_beta", plateau_beta, least=0.1)

    def draw(self, rng: np.random.Generator) -> Blur | Sinc | None:
        if not draws.happens(rng, self.probability):
            return None
        size = draws.odd_integer(rng, self.size)
        if draws.happens(rng, self.sinc_probability):
            # As published: a small window cannot hold the slow ripples of a low cutoff.
            lowest = math.pi / 3 if size < 13 else math.pi / 5
            return Sinc(size=size, cutoff=draws.uniform(rng, (lowest, math.pi)))
        family = draws.choose(rng, self.families)
        sigma_x = draws.uniform(rng, self.sigma)
        turned = family.endswith("aniso")
        return Blur(
            family=family,
            size=size,
            sigma_x=sigma_x,
            sigma_y=draws.uniform(rng, self.sigma) if turned else None,
            rotation=draws.uniform(rng, (-math.pi, math.pi)) if turned else None,
            beta=self._beta(rng, family),
        )

    def _beta(self, rng: np.random.Generator, family: str) -> float | None:
        if family.startswith("generalized"):
            low, high = self.generalized_beta
        elif family.startswith("plateau"):
            low, high = self.plateau_beta
        else:
            return None
        if not low <= 1 <= high:
            return draws.uniform(rng, (low, high))
        return draws.uniform(rng, (low, 1.0) if draws.happens(rng, 0.5) else (1.0, high))


class RandomSinc:
    """A sinc filter alone, as at the end of Real-ESRGAN's chain.

    Args:
        probability: the probability that the stage happens.
        cutoff: the range of cutoff frequencies in radians per pixel.
        size: taps, odd, each equally likely.

    Raises:
        ValueError: names the key, the value and the choices.
    """

    def __init__(self, *, probability: float, cutoff: Sequence[float], size: Sequence[int] = (7, 21)) -> None:
        self.probability = draws.checked_probability("probability", probability)
        self.cutoff = draws.checked_range("cutoff", cutoff, least=0.1, most=math.pi)
        self.size = draws.checked_odd_range("size", size)

    def draw(self, rng: np.random.Generator) -> Sinc | None:
        if not draws.happens(rng, self.probability):
            return None
        return Sinc(size=draws.odd_integer(rng, self.size), cutoff=draws.uniform(rng, self.cutoff))
