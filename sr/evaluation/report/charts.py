"""What the charts of a report show: the gain of every image, and how the values of a set are spread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite

import numpy as np

from sr.evaluation.result import ImageResult
from sr.metrics.quantity import Quantity

NAMED = 30  # the largest number of images whose bars have a name beside them
MOST_BARS = 600  # the largest number of bars of a chart; of more images, every second, third, ... is shown


@dataclass(frozen=True)
class Bar:
    """The gain of one image.

    Attributes:
        name: the name of the image.
        text: the gain with its sign.
        start: the left end of the bar, in percent of the chart.
        length: the length of the bar, in percent of the chart.
        better: whether the model is better than the baseline.
    """

    name: str
    text: str
    start: float
    length: float
    better: bool


@dataclass(frozen=True)
class GainChart:
    """The gain of a model over the baseline, image by image, the smallest first.

    Attributes:
        title: the metric and its unit.
        bars: one bar for each image that is shown.
        zero: the place of no gain, in percent of the chart.
        summary: a sentence on the number of better images and on those that are left out.
    """

    title: str
    bars: Sequence[Bar]
    zero: float
    summary: str

    @property
    def named(self) -> bool:
        return len(self.bars) <= NAMED


@dataclass(frozen=True)
class Spread:
    """The values of one model over a set; places are percent of the chart.

    Attributes:
        model: the name of the model.
        median: the median as text.
        places: the place of each image.
        box: the places of the quartiles: 25 %, 50 % and 75 %.
    """

    model: str
    median: str
    places: Sequence[float]
    box: tuple[float, float, float]


@dataclass(frozen=True)
class SpreadChart:
    """The values of all models over a set, on one scale.

    Attributes:
        title: the metric and its unit.
        low: the value at the left end, as text.
        high: the value at the right end, as text.
        models: the spread of each model.
        summary: a sentence on the values that are left out; empty for none.
    """

    title: str
    low: str
    high: str
    models: Sequence[Spread]
    summary: str


def gain_chart(
    images: Sequence[ImageResult], *, metric: str, quantity: Quantity, model: str, baseline: str
) -> GainChart | None:
    """The chart of a model against the baseline in a metric; None where no image has a finite gain.

    Right of zero the model is better, also where lower values are.
    """
    gains = {
        image.name: quantity.gain(image.values[model][metric], over=image.values[baseline][metric])
        for image in images
    }
    finite = sorted((gain, name) for name, gain in gains.items() if isfinite(gain))
    if not finite:
        return None
    every = ceil(len(finite) / MOST_BARS)
    shown = finite[::every]
    low, high = min(0.0, finite[0][0]), max(0.0, finite[-1][0])
    percent = 100 / (high - low or 1.0)
    bars = [
        Bar(
            name=name,
            text=quantity.text(gain, sign=True),
            start=(min(gain, 0.0) - low) * percent,
            length=abs(gain) * percent,
            better=gain > 0,
        )
        for gain, name in shown
    ]
    better = sum(gain > 0 for gain, _ in finite)
    parts = [f"{model} is better than {baseline} on {better} of {len(finite)} images"]
    if every > 1:
        parts.append(f"{len(shown)} of them are shown, evenly from worst to best")
    if len(finite) < len(images):
        parts.append(f"{len(images) - len(finite)} without a finite gain are left out")
    title = f"Gain of {model} over {baseline}: {_words(metric, quantity)}"
    return GainChart(title=title, bars=bars, zero=-low * percent, summary="; ".join(parts))


def spread_chart(
    images: Sequence[ImageResult], *, metric: str, quantity: Quantity, models: Sequence[str]
) -> SpreadChart | None:
    """The chart of a metric's values; None where no value is finite."""
    values = {model: [image.values[model][metric] for image in images] for model in models}
    finite = {model: [value for value in of if isfinite(value)] for model, of in values.items()}
    finite = {model: of for model, of in finite.items() if of}
    if not finite:
        return None
    low, high = min(map(min, finite.values())), max(map(max, finite.values()))
    percent = 100 / (high - low or 1.0)
    spreads = []
    for model, of_model in finite.items():
        first, median, third = np.percentile(of_model, [25, 50, 75])
        every = ceil(len(of_model) / MOST_BARS)
        spreads.append(
            Spread(
                model=model,
                median=quantity.text(float(median)),
                places=[(value - low) * percent for value in sorted(of_model)[::every]],
                box=tuple(float(each - low) * percent for each in (first, median, third)),  # type: ignore[arg-type]
            )
        )
    missing = sum(map(len, values.values())) - sum(map(len, finite.values()))
    return SpreadChart(
        title=f"Distribution of {_words(metric, quantity)} over the set",
        low=quantity.text(low),
        high=quantity.text(high),
        models=spreads,
        summary=f"{missing} values that are not finite are left out" if missing else "",
    )


def charts(
    images: Sequence[ImageResult], *, quantities: Mapping[str, Quantity], models: Sequence[str], most: int
) -> list[tuple[GainChart | None, SpreadChart | None]]:
    """Both charts of the first metrics of a set; the first model is compared with the last, the baseline.

    Args:
        images: the images of the set.
        quantities: metric -> what its values are, in the order of the tables.
        models: the names of the models, the baseline last.
        most: the number of metrics.
    """
    found = []
    for metric, quantity in list(quantities.items())[:most]:
        gains = (
            gain_chart(images, metric=metric, quantity=quantity, model=models[0], baseline=models[-1])
            if len(models) > 1
            else None
        )
        found.append((gains, spread_chart(images, metric=metric, quantity=quantity, models=models)))
    return found


def _words(metric: str, quantity: Quantity) -> str:
    unit = f" ({quantity.unit})" if quantity.unit else ""
    return f"{quantity.titled(metric)}{unit}"
