"""Lossy compression by real codecs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from sr.degradations import draws

# How much coarser the colour is stored than the brightness.
SUBSAMPLINGS = {
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
}


@dataclass(frozen=True, kw_only=True)
class Jpeg:
    """Written and read by libjpeg.

    Attributes:
        quality: 1 to 100.
        subsampling: one of `SUBSAMPLINGS`. Most files have "4:2:0": colour at half the resolution in both directions.
    """

    quality: int
    subsampling: str = "4:2:0"

    def __call__(self, image: np.ndarray, *, hr_size: tuple[int, int]) -> np.ndarray:
        settings = [cv2.IMWRITE_JPEG_QUALITY, self.quality]
        settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SUBSAMPLINGS[self.subsampling]]
        return _through_codec(image, ".jpg", settings)


@dataclass(frozen=True, kw_only=True)
class Webp:
    """Written and read by libwebp, lossy.

    Attributes:
        quality: 1 to 100.
    """

    quality: int

    def __call__(self, image: np.ndarray, *, hr_size: tuple[int, int]) -> np.ndarray:
        return _through_codec(image, ".webp", [cv2.IMWRITE_WEBP_QUALITY, self.quality])


class RandomJpeg:
    """JPEG with a quality drawn per sample.

    Args:
        quality: lowest and highest, whole numbers, each equally likely.
        probability: the probability that the stage happens.
        subsampling: probabilities of `SUBSAMPLINGS`.

    Raises:
        ValueError: names the key, the value and the choices.
    """

    def __init__(
        self,
        *,
        quality: Sequence[int],
        probability: float = 1.0,
        subsampling: Mapping[str, float] | None = None,
    ) -> None:
        self.quality = draws.checked_whole_range("quality", quality, least=1, most=100)
        self.probability = draws.checked_probability("probability", probability)
        self.subsampling = draws.checked_probabilities(
            "subsampling", subsampling or {"4:2:0": 1.0}, choices=list(SUBSAMPLINGS)
        )

    def draw(self, rng: np.random.Generator) -> Jpeg | None:
        if not draws.happens(rng, self.probability):
            return None
        return Jpeg(quality=draws.integer(rng, self.quality), subsampling=draws.choose(rng, self.subsampling))


class RandomWebp:
    """WebP with a quality drawn per sample.

    Args:
        quality: lowest and highest, whole numbers, each equally likely.
        probability: the probability that the stage happens.

    Raises:
        ValueError: names the key, the value and the choices.
    """

    def __init__(self, *, quality: Sequence[int], probability: float = 1.0) -> None:
        self.quality = draws.checked_whole_range("quality", quality, least=1, most=100)
        self.probability = draws.checked_probability("probability", probability)

    def draw(self, rng: np.random.Generator) -> Webp | None:
        if not draws.happens(rng, self.probability):
            return None
        return Webp(quality=draws.integer(rng, self.quality))


def _through_codec(image: np.ndarray, suffix: str, settings: list[int]) -> np.ndarray:
    """Encode and decode 8 bits of an image with 1 or 3 channels.

    Raises:
        ValueError: the codec does not support this number of channels.
    """
    channels = image.shape[2]
    if channels not in (1, 3):
        raise ValueError(f"channels={channels}: {suffix} holds 1 (gray) or 3 (RGB); take this stage out")
    levels = cv2.convertScaleAbs(np.maximum(image, 0), alpha=255)  # rounds and cuts at 255
    ordered = cv2.cvtColor(levels, cv2.COLOR_RGB2BGR) if channels == 3 else levels
    done, encoded = cv2.imencode(suffix, ordered, settings)
    assert done
    flags = cv2.IMREAD_COLOR_RGB if channels == 3 else cv2.IMREAD_GRAYSCALE
    decoded = np.asarray(cv2.imdecode(encoded, flags)).reshape(image.shape)
    return decoded.astype(np.float32) * np.float32(1 / 255)
