"""What a report says of a set: means, their intervals, paired differences, and what they depend on."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from sr.evaluation.bootstrap import CONFIDENCE, RESAMPLES, SEED, mean_intervals
from sr.evaluation.breakdown import breakdown, mean_values

Entry = Mapping[str, Any]
# Keys beside those of the models, and names that the pictures have: no model can be called so.
RESERVED = ("images", "statistics", "breakdown", "name", "drawn", "LR", "HR")
INTERVAL = (
    f"{CONFIDENCE:.0%} interval of the mean: expanded percentile bootstrap over images, {RESAMPLES} resamples, seed"
    f" {SEED}; draws of one image stay together"
)


def summary(entries: Sequence[Entry], *, models: Sequence[str], draws: int) -> dict[str, Any]:
    """`{model: {metric: mean}, "statistics", "images"}`, with "breakdown" where LR was drawn.

    "statistics" is `{"images": how many, "intervals": {model: {metric: [low, high]}}, "differences": [{"first",
    "second", metric: {"mean", "interval": [low, high]}}]}`: first minus second, the images taken in pairs. An interval
    is None where there is one image, or where a value is infinite.

    Args:
        entries: `{"name", model: {metric: value}}` per image, the draws of an image one after the other.
        models: names of the models.
        draws: entries per image.
    """
    means = {model: mean_values(entries, model) for model in models}
    groups = {"breakdown": breakdown(entries, models=models)} if "drawn" in entries[0] else {}
    statistics = {"images": len(entries) // draws, **_intervals(entries, models=models, draws=draws)}
    return {**means, "statistics": statistics, **groups, "images": list(entries)}


def _intervals(entries: Sequence[Entry], *, models: Sequence[str], draws: int) -> dict[str, Any]:
    metrics = list(entries[0][models[0]])
    values = {
        model: np.array([[entry[model][metric] for metric in metrics] for entry in entries])
        for model in models
    }
    pairs = list(combinations(models, 2))
    with np.errstate(invalid="ignore"):  # two perfect images: infinity less infinity
        differences = [values[first] - values[second] for first, second in pairs]
        # All columns at once, so that every interval is of the same resamples.
        columns = mean_intervals(np.hstack([*values.values(), *differences]), draws=draws)
        means = [difference.mean(axis=0) for difference in differences]
    parts = iter(np.split(columns, len(models) + len(pairs)))
    return {
        "intervals": {model: dict(zip(metrics, map(_ends, next(parts)), strict=True)) for model in models},
        "differences": [
            {
                "first": first,
                "second": second,
                **{
                    metric: {"mean": _finite(mean), "interval": _ends(ends)}
                    for metric, mean, ends in zip(metrics, of_pair, next(parts), strict=True)
                },
            }
            for (first, second), of_pair in zip(pairs, means, strict=True)
        ],
    }


def _ends(interval: np.ndarray) -> list[float] | None:
    return None if np.isnan(interval).any() else [float(end) for end in interval]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
