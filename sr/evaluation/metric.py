"""The metric of an evaluation, checked before anything is read."""

from collections.abc import Collection
from typing import Any

from sr.metrics.protocol import Protocol
from sr.metrics.quantity import quantities_of


def check_metric(metric: Any, *, measures: Collection[str], channels: int) -> Protocol:
    """The metric itself, where an evaluation can be made of it.

    Args:
        metric: the object that the configuration builds.
        measures: the names of the further metrics that were asked for.
        channels: the number of channels of the images.

    Raises:
        ValueError: the metric is no `sr.metrics.protocol.Protocol`, does not say which direction of its values is
            better, takes no further metrics although some are asked for, or needs other channels.
    """
    quantities_of(metric)
    name = f"metric={type(metric).__qualname__}"
    if not isinstance(metric, Protocol):
        raise ValueError(
            f"{name}: an evaluation needs a subclass of sr.metrics.protocol.Protocol,"
            " which says how pixels are prepared and what was measured"
        )
    if set(measures) != set(metric.measures):
        raise ValueError(
            f"measure={sorted(measures)}: {name} has {sorted(metric.measures)}; its YAML needs the line"
            " `measures: ${measure}`"
        )
    metric.check_channels(channels)
    return metric
