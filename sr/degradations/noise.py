"""Gaussian and Poisson (shot) noise, alike or different in the channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from scipy.special import ndtri, pdtr

from sr.degradations import draws

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601
# Random variables are looked up in tables of equally likely quantiles, which takes a quarter of the time of an exact
# normal draw and a twentieth of an exact Poisson one.
NORMAL_QUANTILES = 2**16
POISSON_QUANTILES = 2**12  # for each of 256 levels; 2 MB, which a cache can hold


@dataclass(frozen=True, kw_only=True)
class GaussianNoise:
    """White noise, clipped to [0, 1]; its extremes are at 4.2 sigma.

    Attributes:
        sigma: standard deviation in levels of 255.
        color: `color` (each channel has its own noise), `gray` (all channels have the same), or `correlated` (mixed by
            a random matrix, as in BSRGAN, which imitates the processing of a camera).
        seed: the seed of the noise field.
    """

    sigma: float
    color: str
    seed: int

    def __call__(self, image: np.ndarray, *, hr_size: tuple[int, int]) -> np.ndarray:
        rng = _generator(self.seed)
        height, width, channels = image.shape
        drawn = _uniform16(rng, (height, width, 1 if self.color == "gray" else channels))
        noise = _normal_quantiles().take(drawn)
        if self.color == "correlated":
            noise = noise @ _mixing(rng, channels)
        return _added(image, noise, self.sigma / 255)


@dataclass(frozen=True, kw_only=True)
class PoissonNoise:
    """Shot noise, clipped to [0, 1]: the deviation of a Poisson variable from its mean, times `strength`.

    As published, the mean is the image times 2^ceil(log2(number of distinct 8-bit levels)).

    Attributes:
        strength: the factor of the noise; 1 is true shot noise.
        color: `color` (each channel has its own noise) or `gray` (all channels have the noise of the luma).
        seed: the seed of the noise field.
    """

    strength: float
    color: str
    seed: int

    def __call__(self, image: np.ndarray, *, hr_size: tuple[int, int]) -> np.ndarray:
        source = _gray(image) if self.color == "gray" else image
        levels = np.asarray(cv2.convertScaleAbs(np.maximum(source, 0), alpha=255)).reshape(source.shape)
        histogram = cv2.calcHist([levels.reshape(1, -1)], [0], None, [256], [0, 256])
        distinct = int(np.count_nonzero(histogram))
        peak = 1 << (distinct - 1).bit_length()
        drawn = _uniform16(_generator(self.seed), levels.shape) >> 4
        counts = _poisson_quantiles(peak).take(levels.astype(np.int32) * POISSON_QUANTILES + drawn)
        noise = counts.astype(np.float32)
        noise *= np.float32(1 / peak)
        noise -= levels * np.float32(1 / 255)
        return _added(image, noise, self.strength)


class RandomNoise:
    """Either Gaussian or Poisson noise; Real-ESRGAN, sec. 3.2.

    Args:
        gaussian_probability: the probability that the noise is Gaussian; otherwise it is Poisson noise.
        sigma: the range of standard deviations of Gaussian noise, in levels of 255.
        poisson_strength: the range of strengths of Poisson noise; 1 is true shot noise.
        gray_probability: the probability that all channels get the same noise.
        correlated_probability: the probability that Gaussian noise is correlated between the channels.
        probability: the probability that the stage happens.

    Raises:
        ValueError: names the key, the value and the choices.
    """

    def __init__(
        self,
        *,
        gaussian_probability: float,
        sigma: Sequence[float],
        poisson_strength: Sequence[float],
        gray_probability: float,
        correlated_probability: float = 0.0,
        probability: float = 1.0,
    ) -> None:
        self.gaussian_probability = draws.checked_probability("gaussian_probability", gaussian_probability)
        self.sigma = draws.checked_range("sigma", sigma, most=255)
        self.poisson_strength = draws.checked_range("poisson_strength", poisson_strength)
        for key, value in (("gray", gray_probability), ("correlated", correlated_probability)):
            draws.checked_probability(f"{key}_probability", value)
        if gray_probability + correlated_probability > 1:
            raise ValueError(
                f"gray_probability={gray_probability} and correlated_probability={correlated_probability} must not"
                " sum to more than 1"
            )
        self.colors = {
            "gray": gray_probability,
            "correlated": correlated_probability,
            "color": 1 - gray_probability - correlated_probability,
        }
        self.probability = draws.checked_probability("probability", probability)

    def draw(self, rng: np.random.Generator) -> GaussianNoise | PoissonNoise | None:
        if not draws.happens(rng, self.probability):
            return None
        gaussian = draws.happens(rng, self.gaussian_probability)
        color, seed = draws.choose(rng, self.colors), draws.seed(rng)
        if gaussian:
            return GaussianNoise(sigma=draws.uniform(rng, self.sigma), color=color, seed=seed)
        color = "color" if color == "correlated" else color
        return PoissonNoise(strength=draws.uniform(rng, self.poisson_strength), color=color, seed=seed)


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(seed))


def _uniform16(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """uint16, each value equally likely: the raw bits, at a quarter of the time of `rng.integers`."""
    count = int(np.prod(shape))
    bits = rng.bit_generator.random_raw(-(-count // 4))
    return bits.view(np.uint16)[:count].reshape(shape)


def _added(image: np.ndarray, noise: np.ndarray, strength: float) -> np.ndarray:
    """image + strength * noise in [0, 1]; noise of one channel goes to all."""
    noise *= np.float32(strength)
    if noise.shape[2] != image.shape[2]:
        noise = cv2.merge([noise] * image.shape[2])  # NumPy's broadcast takes ten times as long
    noise += image
    return np.asarray(np.clip(noise, 0, 1, out=noise))


def _gray(image: np.ndarray) -> np.ndarray:
    """(H, W, 1): luma of RGB, the mean of other channels."""
    if image.shape[2] == 3:
        return (image @ LUMA)[:, :, None]
    return np.asarray(image.mean(axis=2, keepdims=True))


def _mixing(rng: np.random.Generator, channels: int) -> np.ndarray:
    """A random symmetric square root of a covariance: rotation of variances drawn from [0, 1]."""
    rotation, _ = np.linalg.qr(rng.normal(size=(channels, channels)))
    mixing = rotation.T @ np.diag(np.sqrt(rng.random(channels))) @ rotation
    return np.asarray(mixing, np.float32)


@cache
def _normal_quantiles() -> np.ndarray:
    """(NORMAL_QUANTILES,) float32 of the standard normal distribution."""
    return np.asarray(ndtri((np.arange(NORMAL_QUANTILES) + 0.5) / NORMAL_QUANTILES), np.float32)


@cache
def _poisson_quantiles(peak: int) -> np.ndarray:
    """Flat (256 * POISSON_QUANTILES,) uint16 of the Poisson distributions of mean level / 255 * peak."""
    quantiles = (np.arange(POISSON_QUANTILES) + 0.5) / POISSON_QUANTILES
    counts = np.arange(peak + 8 * int(np.sqrt(peak)) + 16)
    rows = [np.searchsorted(pdtr(counts, level / 255 * peak), quantiles) for level in range(256)]
    return np.concatenate(rows).astype(np.uint16)
