"""What a validation gives to whoever shows it: numbers of every image, and pictures of a few."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from sr.metrics.quantity import Quantity

WORST, BEST = "worst", "best"


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """One image in four versions, each (H, W, 3) uint8 RGB of the size of HR.

    Attributes:
        lr: LR, enlarged by nearest neighbour, so that its pixels can be seen.
        bicubic: LR, enlarged by MATLAB's bicubic.
        sr: LR, enlarged by the net.
        hr: HR.
    """

    lr: np.ndarray
    bicubic: np.ndarray
    sr: np.ndarray
    hr: np.ndarray


@dataclass(frozen=True, kw_only=True)
class ValidatedImage:
    """One image of a validation.

    Attributes:
        index: its number in the set.
        name: its name in the set.
        values: metric -> value of SR.
        bicubic: metric -> value of bicubic; empty for an image without pictures.
        pictures: its versions, for the few images that are shown.
    """

    index: int
    name: str
    values: Mapping[str, float]
    bicubic: Mapping[str, float]
    pictures: Pictures | None


@dataclass(frozen=True, kw_only=True)
class ValidatedSet:
    """A whole validation.

    Attributes:
        iteration: the number of iterations after which it took place.
        images: all images, in the order of their set.
        count: the number of images, from the first, that every validation shows.
        quantities: metric -> what its values are.
        monitor: the metric that says which image is the worst and which the best.
    """

    iteration: int
    images: Sequence[ValidatedImage]
    count: int
    quantities: Mapping[str, Quantity]
    monitor: str

    def always_shown(self) -> Iterator[tuple[ValidatedImage, Pictures]]:
        """The first images of the set, with their pictures."""
        for image in self.images[: self.count]:
            if image.pictures is not None:
                yield image, image.pictures

    def extremes(self) -> Iterator[tuple[str, ValidatedImage, Pictures]]:
        """`worst` and `best` with their images; nothing where the set is too small to have both."""
        for word, image in zip((WORST, BEST), self._ends(), strict=False):
            if image.pictures is not None:
                yield word, image, image.pictures

    def place(self, image: ValidatedImage) -> str:
        """`worst of 12` or `best of 12`; empty for other images."""
        words = [word for word, end in zip((WORST, BEST), self._ends(), strict=False) if end is image]
        return f"{words[0]} of {len(self.images)}" if words else ""

    def text(self, values: Mapping[str, float], *names: str) -> str:
        """`psnr_y 28.31 dB, ssim_y 0.8123`: the values of these metrics, or of all, as far as they are known."""
        shown = [name for name in names or values if name in values]
        return ", ".join(f"{name} {self.quantities[name].measured(values[name])}" for name in shown)

    def _ends(self) -> list[ValidatedImage]:
        ordered = by_quality(self.images, monitor=self.monitor, quantity=self.quantities[self.monitor])
        return [ordered[0], ordered[-1]] if len(ordered) > 1 else []


def by_quality(images: Iterable[ValidatedImage], *, monitor: str, quantity: Quantity) -> list[ValidatedImage]:
    """The images from the worst to the best by a metric, without those that have no value of it."""
    measured = [image for image in images if not isnan(image.values[monitor])]
    return sorted(measured, key=lambda image: quantity.gain(image.values[monitor]))
