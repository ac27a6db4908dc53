"""Several directories as one source of images, each with its share of the training samples."""

from collections.abc import Sequence
from functools import partial
from itertools import accumulate

import numpy as np

from sr.data.sources import ImageSource, nodata_of

WEIGHTS_SEED = 0x77  # tells the draws of this file from others with the same seed


class JoinedImages:
    """The images of several sources, one source after the other.

    Args:
        parts: the sources.
    """

    def __init__(self, parts: Sequence[ImageSource]) -> None:
        self.parts = list(parts)
        self._ends = list(accumulate(map(len, self.parts)))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> np.ndarray:
        part, inside = self._find(index)
        return self.parts[part][inside]

    def name(self, index: int) -> str:
        part, inside = self._find(index)
        return self.parts[part].name(inside)

    def nodata(self, index: int) -> float | None:
        """See `ImageFiles.nodata`."""
        part, inside = self._find(index)
        return nodata_of(self.parts[part], inside)

    def listing(self) -> list[str]:
        """The lines of all sources, each with the number of its source."""
        return [f"{number} {line}" for number, part in enumerate(self.parts) for line in part.listing()]

    def _find(self, index: int) -> tuple[int, int]:
        part = int(np.searchsorted(self._ends, index, side="right"))
        return part, index - (self._ends[part - 1] if part else 0)


def joined(parts: Sequence[ImageSource]) -> ImageSource:
    """One source of all images; a single source stays as it is."""
    return parts[0] if len(parts) == 1 else JoinedImages(parts)


def parts_of(source: ImageSource) -> list[ImageSource]:
    """The sources that a source was joined from."""
    return source.parts if isinstance(source, JoinedImages) else [source]


def check_weights(weights: Sequence[float] | None, *, directories: int) -> None:
    """Raises ValueError unless there is one positive weight for each directory, or none at all."""
    if weights is None:
        return
    if len(weights) != directories or not all(0 < weight < float("inf") for weight in weights):
        raise ValueError(
            f"data.weights={list(weights)}: give one number above 0 for each of the {directories} directory(s) of"
            " data.train_dir, as data.train_dir=[a,b] data.weights=[3,1]"
        )


def weighted_order(lap: int, *, sizes: Sequence[int], weights: Sequence[float], seed: int) -> np.ndarray:
    """The images that a pass takes, where each part gets its share of the samples instead of each image once.

    A pass has as many samples as there are images. Within a part every image comes equally often: the part is shuffled
    and passed through again and again, over the passes of the whole.

    Args:
        lap: the number of the pass.
        sizes: the number of images of each part.
        weights: the share of each part, in any unit.
        seed: the seed of the run.

    Returns:
        (sum of sizes,) indices into the joined images.
    """
    starts = np.cumsum([0, *sizes[:-1]])
    drawn = [
        start + _passes(size, first=first, count=count, seed=(seed, WEIGHTS_SEED, part))
        for part, (start, size, (first, count)) in enumerate(
            zip(starts, sizes, _shares(lap, total=sum(sizes), weights=weights), strict=True)
        )
    ]
    order: np.ndarray = np.random.default_rng((seed, WEIGHTS_SEED, lap)).permutation(np.concatenate(drawn))
    return order


def order_by_weight(
    parts: Sequence[ImageSource], *, weights: Sequence[float], seed: int
) -> "partial[np.ndarray]":
    """`weighted_order` as a function of the pass alone."""
    return partial(weighted_order, sizes=[len(part) for part in parts], weights=list(weights), seed=seed)


def _shares(lap: int, *, total: int, weights: Sequence[float]) -> list[tuple[int, int]]:
    """For each part, the number of its samples before this pass and within it; the latter add up to `total`.

    Rounded at the ends of parts and not for each part alone, so that nothing is lost over many passes.
    """
    ends = np.cumsum([0, *weights]) / sum(weights)
    before, after = (np.floor(ends * total * end + 0.5).astype(np.int64) for end in (lap, lap + 1))
    counts = np.diff(after) - np.diff(before)
    return [(int(first), int(count)) for first, count in zip(np.diff(before), counts, strict=True)]


def _passes(size: int, *, first: int, count: int, seed: tuple[int, ...]) -> np.ndarray:
    """Samples `first` to `first + count` of a part that is shuffled anew in each pass through it."""
    if count == 0:
        return np.empty(0, np.int64)
    laps = range(first // size, (first + count - 1) // size + 1)
    order = np.concatenate([np.random.default_rng((*seed, lap)).permutation(size) for lap in laps])
    return order[first - laps.start * size :][:count]
