"""Drawing parameters, and checking ranges and tables of probabilities."""

import math
from collections.abc import Mapping, Sequence

import numpy as np


def checked_range(
    key: str, bounds: Sequence[float], *, least: float = 0.0, most: float = math.inf
) -> tuple[float, float]:
    """Check two bounds and return them.

    Raises:
        ValueError: they are not two numbers, in reverse order, or outside [least, most].
    """
    if isinstance(bounds, str) or not isinstance(bounds, Sequence) or len(bounds) != 2:
        raise ValueError(f"{key}={bounds} must be two numbers: [lowest, highest]")
    if not all(isinstance(bound, int | float) for bound in bounds):
        raise ValueError(f"{key}={list(bounds)} must be two numbers: [lowest, highest]")
    low, high = bounds
    if not low <= high:
        raise ValueError(f"{key}=[{low}, {high}] is reversed: write [{high}, {low}]")
    if low < least or high > most:
        raise ValueError(f"{key}=[{low}, {high}] must lie in [{least:g}, {most:g}]")
    return low, high


def checked_probability(key: str, probability: float) -> float:
    """Check a probability and return it. Raises ValueError outside [0, 1]."""
    if not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise ValueError(f"{key}={probability} must be in [0, 1]")
    return probability


def checked_probabilities(
    key: str, table: Mapping[str, float], *, choices: Sequence[str] | None = None
) -> dict[str, float]:
    """Check a table of probabilities and return it.

    Raises:
        ValueError: a name is not one of `choices`, a probability is negative, or the sum is not 1.
    """
    for name, probability in table.items():
        if choices is not None and name not in choices:
            raise ValueError(f"{key}.{name} is unknown: choose from {', '.join(choices)}")
        checked_probability(f"{key}.{name}", probability)
    if not math.isclose(sum(table.values()), 1, abs_tol=1e-6):
        shown = ", ".join(f"{name}: {probability:g}" for name, probability in table.items())
        raise ValueError(f"{key}={{{shown}}} must sum to 1, not to {sum(table.values()):g}")
    return dict(table)


def checked_scale(scale: int) -> int:
    """Check a scale and return it. Raises ValueError below 1."""
    if scale < 1:
        raise ValueError(f"scale={scale} must be 1 or more")
    return scale


def checked_choices(key: str, values: Sequence[str], *, choices: Sequence[str]) -> list[str]:
    """Check values and return them. Raises ValueError for one that is not in `choices`, or for an empty list."""
    for value in values:
        if value not in choices:
            raise ValueError(f"{key}={value!r} is unknown: choose from {', '.join(choices)}")
    if not values:
        raise ValueError(f"{key}=[] must name at least one of {', '.join(choices)}")
    return list(values)


def checked_whole_range(
    key: str, bounds: Sequence[int], *, least: int, most: float = math.inf
) -> tuple[int, int]:
    """The same as `checked_range` for whole numbers."""
    low, high = checked_range(key, bounds, least=least, most=most)
    if low != int(low) or high != int(high):
        raise ValueError(f"{key}=[{low}, {high}] must be whole numbers")
    return int(low), int(high)


def checked_odd_range(key: str, bounds: Sequence[int]) -> tuple[int, int]:
    """Check two odd bounds and return them. Raises ValueError if one is even, or if they are reversed."""
    low, high = checked_whole_range(key, bounds, least=1)
    if not low % 2 or not high % 2:
        raise ValueError(f"{key}=[{low}, {high}] must be odd: a kernel has a central pixel")
    return low, high


def uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """A number drawn uniformly between the two bounds."""
    return float(rng.uniform(*bounds))


def odd_integer(rng: np.random.Generator, bounds: tuple[int, int]) -> int:
    """One of low, low + 2, ..., high."""
    low, high = bounds
    return low + 2 * int(rng.integers((high - low) // 2 + 1))


def integer(rng: np.random.Generator, bounds: tuple[int, int]) -> int:
    """One of low, low + 1, ..., high."""
    return int(rng.integers(bounds[0], bounds[1] + 1))


def happens(rng: np.random.Generator, probability: float) -> bool:
    return bool(rng.random() < probability)


def choose(rng: np.random.Generator, table: Mapping[str, float]) -> str:
    """One of the names, drawn by its probability."""
    names = list(table)
    # Not `Generator.choice`, which takes ten times as long for a handful of names.
    drawn, reached = rng.random(), 0.0
    for name in names:
        reached += table[name]
        if drawn < reached:
            return name
    return names[-1]


def pick(rng: np.random.Generator, names: Sequence[str]) -> str:
    """One of the names, equally likely."""
    return names[int(rng.integers(len(names)))]


def seed(rng: np.random.Generator) -> int:
    """A seed for the randomness inside a step, such as a field of noise."""
    return int(rng.integers(2**32))
