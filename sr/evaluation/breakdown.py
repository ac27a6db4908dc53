"""What a result on random LR depends on: the images of a set in groups, by what was drawn for them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import numpy as np
import torch

from sr.degradations.record import parameters
from sr.evaluation.result import Evaluation, Group, ImageResult, ModelValues, SetResult
from sr.metrics.mean import set_mean
from sr.metrics.quantity import Quantity
from sr.ops.text_table import aligned

# Parameters that are divided at a fixed value. Below a quality of 60 the blocks of a JPEG file become visible.
THRESHOLDS = {"quality": 60.0}
ABSENT = "none"
LEAST_IMAGES = 3  # a smaller group says more about its images than about the degradation
MOST_PARAMETERS = 12  # parameters of one set in the table


def mean_values(images: Sequence[ImageResult], model: str) -> dict[str, float]:
    """Metric -> mean over the images."""
    names = list(images[0].values[model])
    means = set_mean(torch.tensor([[image.values[model][name] for name in names] for image in images]))
    return dict(zip(names, means.tolist(), strict=True))


def breakdown(images: Sequence[ImageResult], *, models: Sequence[str]) -> list[Group]:
    """Means over groups of images; every parameter divides all images into groups of its own.

    Numbers make two groups, below and above the value in `THRESHOLDS`, or their rounded median where there is none.
    Words make one group per word. The group `none` holds the images that do not have the parameter, because its stage
    was skipped or drew a step of another kind. A parameter with a single value is left out, except the `kind` of a
    stage that was skipped for some images.

    Args:
        images: the images, each with what was drawn for it.
        models: the names of the models.

    Returns:
        The groups, those of one parameter beside each other.
    """
    drawn = [parameters(image.drawn) if image.drawn else {} for image in images]
    result = []
    for parameter in sorted({name for of_image in drawn for name in of_image}):
        values = [of_image.get(parameter) for of_image in drawn]
        for label, members in _groups(parameter, values).items():
            chosen = [images[index] for index in members]
            means = {model: mean_values(chosen, model) for model in models}
            result.append(Group(parameter=parameter, label=label, images=len(chosen), means=means))
    return result


def _groups(parameter: str, values: Sequence[float | str | None]) -> dict[str, list[int]]:
    """Label -> indices in `values`; empty where there is nothing to compare."""
    different = {value for value in values if value is not None}
    if len(different) < 2 and not (_is_kind(parameter) and None in values):
        return {}
    numbers = [value for value in values if isinstance(value, int | float)]
    threshold = _threshold(parameter, numbers) if numbers else ""
    labels = [_label(value, threshold) for value in values]
    order = (f"< {threshold}", f">= {threshold}") if numbers else sorted(set(labels) - {ABSENT})
    names = [*order, ABSENT] if None in values else order
    return {name: [index for index, label in enumerate(labels) if label == name] for name in names}


def _label(value: float | str | None, threshold: str) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, str):
        return f"= {value}"
    return f"< {threshold}" if value < float(threshold) else f">= {threshold}"


def _threshold(parameter: str, values: Sequence[float]) -> str:
    """The shortest number that has values on both sides of it. The values must not all be equal."""
    lowest, highest = min(values), max(values)
    fixed = THRESHOLDS.get(parameter.rpartition(".")[2])
    if fixed is not None and lowest < fixed <= highest:
        return f"{fixed:g}"
    middle = float(np.median(values))
    if middle == lowest:  # most of the values are the lowest one
        middle = min(value for value in values if value > lowest)
    candidates = (
        np.format_float_positional(middle, precision=digits, fractional=False, trim="-")
        for digits in range(2, 18)
    )
    return next(text for text in candidates if lowest < float(text) <= highest)


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
        if group.images >= LEAST_IMAGES and (group.label != ABSENT or _is_kind(group.parameter))
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


def _is_kind(parameter: str) -> bool:
    return parameter.endswith(".kind")
