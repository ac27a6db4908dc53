"""What the values of many files are, band by band: percentiles that are exact, mean and deviation."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sr.ops.no_data import has_data
from sr.pictures.picture import UnreadableImageError
from sr.pictures.reading import read_picture

HALF = 1 << 16  # values of 16 bits, which a number of 32 bits has two of
Files = Callable[[Sequence[Path]], Iterable[Path]]


@dataclass
class BandStatistics:
    """The values with data of all files, band by band.

    Attributes:
        dtype: the type of the values.
        counts: (bands,) how many values have data.
        means: (bands,) their mean.
        squares: (bands,) the sum of their squared distances from the mean.
    """

    dtype: np.dtype
    counts: np.ndarray
    means: np.ndarray
    squares: np.ndarray

    @property
    def deviations(self) -> np.ndarray:
        return np.asarray(np.sqrt(self.squares / self.counts))

    def add(self, values: np.ndarray, band: int) -> None:
        """Take values of a band; sums are merged as by Chan et al., "Updating formulae", 1979."""
        count = len(values)
        if not count:
            return
        mean = values.mean(dtype=np.float64)
        difference = mean - self.means[band]
        total = self.counts[band] + count
        self.squares[band] += np.square(values - mean, dtype=np.float64).sum()
        self.squares[band] += difference**2 * self.counts[band] * count / total
        self.means[band] += difference * count / total
        self.counts[band] = total


def mean_and_deviation(paths: Sequence[Path], *, progress: Files) -> BandStatistics:
    """Read all files once.

    Args:
        paths: the files.
        progress: a wrapper around the iteration over the files that shows the progress.

    Raises:
        UnreadableImageError: a file cannot be read, or has another type or number of bands than the first.
        ValueError: a band has no data in any file.
    """
    found: BandStatistics | None = None
    for bands, dtype in _read(paths, progress):
        if found is None:
            found = BandStatistics(dtype, *(np.zeros(len(bands), kind) for kind in (np.int64, float, float)))
        for number, values in enumerate(bands):
            found.add(values, number)
    assert found is not None  # there is at least one file
    _check_counts(found.counts)
    return found


def percentiles(paths: Sequence[Path], shares: Sequence[float], *, progress: Files) -> np.ndarray:
    """(shares, bands): the values below or at which so many hundredths of the values of a band lie.

    Exact, whatever the number of files: the upper half of the bits of a value is counted first, then the lower half of
    those that share the wanted upper half. Integers have no lower half, so their files are read once, those of floats
    twice.

    Args:
        paths: the files.
        shares: percentiles from 0 to 100.
        progress: see `mean_and_deviation`.

    Raises:
        UnreadableImageError, ValueError: see `mean_and_deviation`.
    """
    upper: np.ndarray | None = None
    dtype = np.dtype(np.uint8)
    for bands, kind in _read(paths, progress):
        dtype = kind
        if upper is None:
            upper = np.zeros((len(bands), HALF), np.int64)
        for number, values in enumerate(bands):
            upper[number] += np.bincount(_keys(values) >> 16, minlength=HALF)
    assert upper is not None
    counts = upper.sum(axis=1)
    _check_counts(counts)
    # The number of the wanted value among the sorted ones, from 1: the least that has so large a share at or below it.
    wanted = np.maximum(np.ceil(np.asarray(shares, float)[:, None] / 100 * counts), 1).astype(np.int64)
    ends = upper.cumsum(axis=1)
    heads = np.array([[np.searchsorted(ends[b], rank) for b, rank in enumerate(row)] for row in wanted])
    if dtype.kind != "f":
        return np.array([[_value(head << 16, dtype) for head in row] for row in heads])
    lower = np.zeros((*heads.shape, HALF), np.int64)
    for bands, _ in _read(paths, progress):
        for number, values in enumerate(bands):
            keys = _keys(values)
            for share, head in enumerate(heads[:, number]):
                lower[share, number] += np.bincount(keys[keys >> 16 == head] & (HALF - 1), minlength=HALF)
    result = np.empty(heads.shape)
    for share, number in np.ndindex(*heads.shape):
        head = heads[share, number]
        before = ends[number, head] - upper[number, head]
        tail = np.searchsorted(lower[share, number].cumsum(), wanted[share, number] - before)
        result[share, number] = _value((head << 16) + tail, dtype)
    return result


def _read(paths: Sequence[Path], progress: Files) -> Iterable[tuple[list[np.ndarray], np.dtype]]:
    """The values with data of each band of each file, and the type of all files."""
    kind: tuple[Any, ...] | None = None
    for path in progress(paths):
        picture = read_picture(path)
        colour = picture.colour
        found = (colour.dtype, colour.shape[2])
        if kind is None:
            kind = found
        if found != kind:
            raise UnreadableImageError(
                f"{path}: has {found[1]} bands of {found[0]}, and {paths[0]} has {kind[1]} of {kind[0]}: statistics are"
                " of files of one kind"
            )
        valid = has_data(colour, nodata=picture.nodata)
        bands = [colour[:, :, number] for number in range(colour.shape[2])]
        yield (
            [band.ravel() if valid is None else band[valid[:, :, n]] for n, band in enumerate(bands)],
            colour.dtype,
        )


def _keys(values: np.ndarray) -> np.ndarray:
    """Whole numbers of 32 bits in the order of the values: (n,) -> (n,) int64. Integers are in the upper half."""
    if values.dtype.kind != "f":
        return (values.astype(np.int64) - np.iinfo(values.dtype).min) << 16
    # The bits of a float are ordered as the floats are; of negative ones, the other way round.
    bits = (values + np.float32(0)).view(np.uint32)  # -0 becomes 0
    return np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31)).astype(np.int64)


def _value(key: int, dtype: np.dtype) -> float:
    """The value of a key."""
    if dtype.kind != "f":
        return float((int(key) >> 16) + np.iinfo(dtype).min)
    bits = int(key)
    bits = bits ^ (1 << 31) if bits >> 31 else ~bits & 0xFFFFFFFF
    return float(np.array([bits], np.uint32).view(np.float32)[0])


def _check_counts(counts: np.ndarray) -> None:
    if not counts.all():
        raise ValueError(
            f"band {int(np.flatnonzero(counts == 0)[0])}, counted from 0, has no data in any file"
        )
