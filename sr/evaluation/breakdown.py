"""What a result on random LR depends on: the images of a set in groups, by what was drawn for them."""

from collections.abc import Sequence

import numpy as np
import torch

from sr.degradations.record import parameters
from sr.evaluation.result import Group, ImageResult
from sr.metrics.mean import set_mean

# Parameters that are divided at a fixed value. Below a quality of 60 the blocks of a JPEG file become visible.
THRESHOLDS = {"quality": 60.0}
ABSENT = "none"


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
    if len(different) < 2 and not (is_kind(parameter) and None in values):
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


def is_kind(parameter: str) -> bool:
    """Whether a parameter says which kind of step a stage drew."""
    return parameter.endswith(".kind")
