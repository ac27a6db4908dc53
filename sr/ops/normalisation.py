"""Between the values of a file and those of a net, whose images lie nominally in [0, 1]."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from sr.ops.image import quantize, to_float
from sr.ops.no_data import filled, has_data

KEY = "data.normalise"
SPAN = 3  # deviations on either side of the mean that become [0, 1]
FORMS = ({"low", "high"}, {"mean", "deviation"})
ORIGIN = "from"  # the key of a file of statistics that says what they were computed of
WRITE = (
    f"write {KEY}={{low: 0, high: 10000}} (numbers, or lists with one for each band), {KEY}={{mean: [...], deviation:"
    f" [...]}}, or {KEY}=FILE as `sr-normalise` writes it"
)


class Normalisation(Protocol):
    """A way between stored values and those of a net.

    Attributes:
        content: plain numbers that tell it, as `normalisation` reads them; None for the full range of the type.
    """

    @property
    def content(self) -> Mapping[str, list[float]] | None: ...
    def check(self, *, channels: int, key: str = KEY) -> None:
        """Raises ValueError where it is for another number of bands."""

    def takes(self, dtype: np.dtype) -> bool:
        """Whether it takes values of a type."""

    def to_net(self, image: np.ndarray) -> np.ndarray:
        """(H, W, C) stored values -> float32, nominally in [0, 1] and not clipped."""

    def to_stored(self, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """(H, W, C) float32 values of a net, which may be changed -> stored values, rounded and clipped to the type."""

    def as_saved(self, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """(H, W, C) float32 values of a net that LR has: those that saving as a file and reading it would give."""

    def undone(self, images: Tensor) -> Tensor:
        """(N, C, H, W) values of a net -> the same in units of the file, or in a multiple of them."""


class FullRange:
    """The full range of an unsigned type becomes [0, 1], by the type and never by the values.

    LR images are rounded to 8 bits, as in the benchmarks of the field.
    """

    content = None

    def check(self, *, channels: int, key: str = KEY) -> None:
        return

    def takes(self, dtype: np.dtype) -> bool:
        return dtype.kind == "u"

    def to_net(self, image: np.ndarray) -> np.ndarray:
        if image.dtype.kind != "u":
            raise ValueError(f"{image.dtype} has no natural range: {WRITE}")
        return to_float(image)

    def to_stored(self, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
        if dtype.kind != "u":
            raise ValueError(f"{dtype} has no natural range: {WRITE}")
        top = float(np.iinfo(dtype).max)
        values *= top
        return _rounded(values, dtype)

    def as_saved(self, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
        return quantize(values)

    def undone(self, images: Tensor) -> Tensor:
        return images


class BandRange:
    """(value - low) / (high - low), band by band: [low, high] becomes [0, 1], and nothing is clipped.

    Args:
        low: the values that become 0; a single one is for all bands.
        high: the values that become 1.

    Raises:
        ValueError: a number is not finite, `high` is not above `low`, or their lengths differ.
    """

    def __init__(self, *, low: float | Sequence[float], high: float | Sequence[float]) -> None:
        lows, highs = _numbers("low", low), _numbers("high", high)
        if len(lows) != len(highs) and 1 not in (len(lows), len(highs)):
            raise ValueError(f"{KEY}: low has {len(lows)} numbers and high has {len(highs)}")
        offset, top = np.broadcast_arrays(np.array(lows), np.array(highs))
        if not (top > offset).all():
            band = int(np.flatnonzero(top <= offset)[0])
            raise ValueError(
                f"{KEY}: high={top[band]} of band {band} (counted from 0) must be above low={offset[band]}"
            )
        self.offset, self.scale = offset.astype(np.float64), (top - offset).astype(np.float64)

    @property
    def content(self) -> dict[str, list[float]]:
        return {"low": self.offset.tolist(), "high": (self.offset + self.scale).tolist()}

    def check(self, *, channels: int, key: str = KEY) -> None:
        if len(self.offset) not in (1, channels):
            raise ValueError(f"{key} has numbers for {len(self.offset)} bands, where channels={channels}")

    def takes(self, dtype: np.dtype) -> bool:
        return True

    def to_net(self, image: np.ndarray) -> np.ndarray:
        values = image.astype(np.float32)
        values -= self.offset.astype(np.float32)
        values /= self.scale.astype(np.float32)
        return values

    def to_stored(self, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
        values *= self.scale.astype(np.float32)
        values += self.offset.astype(np.float32)
        return values if dtype.kind == "f" else _rounded(values, dtype)

    def as_saved(self, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
        if dtype.kind == "f":
            return values.astype(np.float32, copy=False)
        return self.to_net(self.to_stored(values.astype(np.float32), dtype))

    def undone(self, images: Tensor) -> Tensor:
        scale, offset = (images.new_tensor(each).reshape(1, -1, 1, 1) for each in (self.scale, self.offset))
        return images * scale + offset


FULL_RANGE = FullRange()


def normalisation(given: str | Mapping[str, Any] | None, *, key: str = KEY) -> Normalisation:
    """What `data.normalise` says: None, numbers, or the path of a JSON file of numbers.

    Args:
        given: numbers as {low, high}, or as {mean, deviation}, where mean - 3 * deviation becomes 0 and mean + 3 *
            deviation becomes 1; each is a number or a list with one for each band. None is the full range of an
            unsigned type.
        key: the key of the configuration, for messages.

    Raises:
        ValueError: the content is another one; the message says what to write.
        FileNotFoundError: there is no such file.
    """
    if given is None:
        return FULL_RANGE
    if isinstance(given, str):
        return normalisation(_read(given, key=key), key=f"{key}={given}")
    names = set(given) - {ORIGIN}
    if names not in FORMS:
        raise ValueError(f"{key} has the keys {', '.join(sorted(map(str, given))) or 'none'}: {WRITE}")
    if "low" in names:
        return BandRange(low=given["low"], high=given["high"])
    mean, deviation = _numbers("mean", given["mean"]), _numbers("deviation", given["deviation"])
    if len(mean) != len(deviation):
        raise ValueError(f"{key}: mean has {len(mean)} numbers and deviation has {len(deviation)}")
    if min(deviation) <= 0:
        raise ValueError(
            f"{key}: deviation={deviation} must be above 0: a band of a single value says nothing"
        )
    pairs = list(zip(mean, deviation, strict=True))
    return BandRange(low=[m - SPAN * d for m, d in pairs], high=[m + SPAN * d for m, d in pairs])


def for_net(
    image: np.ndarray, *, nodata: float | None, by: Normalisation
) -> tuple[np.ndarray, np.ndarray | None]:
    """(H, W, C) stored values -> what a net sees, (H, W, C) float32, and where there is data, (H, W, C) bool or None.

    Pixels without data have the value of the nearest pixel with data; a band without any data is 0. None: there is
    data everywhere.
    """
    valid = has_data(image, nodata=nodata)
    if valid is None:
        return by.to_net(image), None
    values = by.to_net(filled(image, valid))
    values[:, :, ~valid.any(axis=(0, 1))] = 0
    return values, valid


def _rounded(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    limits = np.iinfo(dtype)
    np.rint(values, out=values)
    np.clip(values, limits.min, limits.max, out=values)
    return values.astype(dtype)


def _numbers(name: str, value: Any) -> list[float]:
    numbers = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    right = [isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n) for n in numbers]
    if not numbers or not all(right):
        raise ValueError(f"{KEY}: {name}={value} must be a finite number, or a list of them: {WRITE}")
    return [float(n) for n in numbers]


def _read(path: str, *, key: str) -> Mapping[str, Any]:
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"{key}={path} does not exist: `sr-normalise DIR --out {path}` writes it")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{key}={path} is no JSON ({error}): `sr-normalise DIR --out {path}` writes it"
        ) from error
    if not isinstance(content, Mapping):
        raise ValueError(f"{key}={path} holds no table: {WRITE}")
    return content
