"""The values of images -> means with intervals, paired differences, and means by what was drawn."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from sr.evaluation.bootstrap import mean_intervals
from sr.evaluation.breakdown import breakdown, mean_values
from sr.evaluation.description import ProtocolDescription
from sr.evaluation.result import Difference, Evaluation, ImageResult, Mean, SetResult
from sr.evaluation.tradeoff import find_tradeoff
from sr.metrics.protocol import Protocol


def summarise(
    images: Mapping[str, Sequence[ImageResult]],
    *,
    protocol: ProtocolDescription,
    checkpoints: Mapping[str, str],
    metric: Protocol,
    alphas: Mapping[str, float],
    draws: int,
) -> Evaluation:
    """The whole result of an evaluation.

    Args:
        images: name of a set -> the values of its images, as `sr.evaluation.benchmark.benchmark` returns them.
        protocol: the description of how the values were made.
        checkpoints: name -> file of the weights.
        metric: the metrics that were computed; where nets were interpolated, the first of its measures is perception.
        alphas: name of a model -> its alpha; empty where nothing was interpolated.
        draws: the number of draws of each image.
    """
    models = list(next(iter(images.values()))[0].values)
    sets = {name: summarise_set(of_set, models=models, draws=draws) for name, of_set in images.items()}
    return Evaluation(
        protocol=protocol,
        checkpoints=checkpoints,
        models=models,
        quantities=metric.quantities,
        sets=sets,
        tradeoff=find_tradeoff(sets, alphas, perception=next(iter(metric.further))) if alphas else None,
    )


def summarise_set(images: Sequence[ImageResult], *, models: Sequence[str], draws: int) -> SetResult:
    """The results of one set.

    Args:
        images: the values of every image, the draws of one image beside each other.
        models: the names of the models; a difference is one model minus a later one.
        draws: the number of draws of each image.
    """
    metrics = list(images[0].values[models[0]])
    values = {
        model: np.array([[image.values[model][metric] for metric in metrics] for image in images])
        for model in models
    }
    pairs = list(combinations(models, 2))
    with np.errstate(invalid="ignore"):  # infinity minus infinity, where both images are perfect
        differences = [values[first] - values[second] for first, second in pairs]
        # All columns in one call, so that every interval comes from the same resamples.
        intervals = mean_intervals(np.hstack([*values.values(), *differences]), draws=draws)
        means = [difference.mean(axis=0) for difference in differences]
    parts = np.split(intervals, len(models) + len(pairs))
    of_models, of_pairs = parts[: len(models)], parts[len(models) :]
    return SetResult(
        originals=len(images) // draws,
        means={
            model: _with_intervals(mean_values(images, model), ends)
            for model, ends in zip(models, of_models, strict=True)
        },
        differences=[
            Difference(first, second, _finite_means(metrics, mean, ends))
            for (first, second), mean, ends in zip(pairs, means, of_pairs, strict=True)
        ],
        breakdown=breakdown(images, models=models),
        images=list(images),
    )


def _with_intervals(means: Mapping[str, float], intervals: np.ndarray) -> dict[str, Mean]:
    return {
        metric: Mean(mean, _ends(ends)) for (metric, mean), ends in zip(means.items(), intervals, strict=True)
    }


def _finite_means(metrics: Sequence[str], means: np.ndarray, intervals: np.ndarray) -> dict[str, Mean | None]:
    return {
        metric: Mean(float(mean), _ends(ends)) if np.isfinite(mean) else None
        for metric, mean, ends in zip(metrics, means, intervals, strict=True)
    }


def _ends(interval: np.ndarray) -> tuple[float, float] | None:
    low, high = interval
    return None if np.isnan(interval).any() else (float(low), float(high))
