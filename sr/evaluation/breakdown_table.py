"""The table of results by what was drawn: the parameters that the first metric depends on most."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import numpy as np

from sr.evaluation.breakdown import ABSENT, is_kind
from sr.evaluation.result import Evaluation, Group, ModelValues, SetResult
from sr.metrics.quantity import Quantity
from sr.ops.text_table import aligned

LEAST_IMAGES = 3  # a smaller group says more about its images than about the degradation
MOST_PARAMETERS = 12  # parameters of one set in the table


def format_breakdown(evaluation: Evaluation) -> str:
    """For every set whose LR is random, the parameters that the first metric depends on most."""
    return "\n\n".join(
        "\n".join(_table(name, result, evaluation.models, evaluation.quantities))
        for name, result in evaluation.sets.items()
        if result.images[0].drawn is not None
    )


def _table(
    name: str, result: SetResult, models: Sequence[str], quantities: Mapping[str, Quantity]
) -> list[str]:
    """The lines of one set: one per group, with all models beside each other, and the gain of the first of two."""
    metric, quantity = next(iter(quantities.items()))
    what = f"gain in {metric}" if len(models) == 2 else metric
    count = len(result.images)

    def compared(values: ModelValues) -> float:
        first, *others = (float(values[model][metric]) for model in models)
        return quantity.gain(first, over=others[0]) if len(others) == 1 else first

    def clarity(groups: Sequence[Group]) -> float:
        return _clarity([(compared(group.means), group.images) for group in groups])

    parameters = sorted(_comparable(result.breakdown), key=clarity, reverse=True)
    if not parameters:
        return [
            f"{name}: no breakdown, since nothing that was drawn divides the {count} images into groups of"
            f" {LEAST_IMAGES} or more; more draws may help (draws=8)"
        ]
    rows = [["drawn", "", "images", metric, "gain"]]
    for groups in parameters[:MOST_PARAMETERS]:
        for number, group in enumerate(groups):
            parameter = "" if number else group.parameter
            values = " / ".join(quantity.text(group.means[model][metric]) for model in models)
            gain = quantity.text(compared(group.means), sign=True)
            rows.append([parameter, group.label, str(group.images), values, gain])
    chance = quantity.text(_chance([compared(image.values) for image in result.images]))
    chance = f"{chance} {quantity.unit}".rstrip()
    shown = min(MOST_PARAMETERS, len(parameters))
    return [
        f"{name}: {what} by what was drawn, the clearest {shown} of {len(parameters)} parameters (all: metrics.json)",
        *aligned(rows if len(models) == 2 else [row[:-1] for row in rows], left=(0, 1)),
        f"by chance alone, two halves of these {count} images differ by {chance} (one sigma)",
    ]


def _comparable(groups: Iterable[Group]) -> list[list[Group]]:
    """The groups of each parameter that has several with enough images.

    The group of the skipped stage is kept for its `kind` alone, since its other parameters would repeat it.
    """
    large = [
        group
        for group in groups
        if group.images >= LEAST_IMAGES and (group.label != ABSENT or is_kind(group.parameter))
    ]
    by_parameter = [list(same) for _, same in groupby(large, key=lambda group: group.parameter)]
    # Where one of two stages always happens, both divide the images in the same way: the first one is kept.
    different = {_members(same): same for same in reversed(by_parameter)}
    return [same for same in by_parameter if len(same) > 1 and different[_members(same)] is same]


def _members(groups: Sequence[Group]) -> frozenset[str]:
    """A key that is equal for parameters that divide the images in the same way."""
    return frozenset(str((group.images, group.means)) for group in groups)


def _clarity(groups: Sequence[tuple[float, int]]) -> float:
    """How far groups lie apart: the mean square between groups of an analysis of variance.

    By chance alone, its expectation is the same for all parameters. The plain distance of the means would be largest
    for the parameters with the smallest groups.

    Args:
        groups: mean and number of images of each group.
    """
    means, images = (np.array(column) for column in zip(*groups, strict=True))
    center = np.average(means, weights=images)
    return float((images * (means - center) ** 2).sum() / (len(groups) - 1))


def _chance(values: Sequence[float]) -> float:
    """The standard deviation of the distance between the means of two halves, over all ways to halve the images."""
    return float(2 * np.std(values, ddof=1) / len(values) ** 0.5)
