"""The axis of values of a panel: its range and scale, bicubic, and values that lie far away from the others."""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, isfinite, log10

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from sr.callbacks.curve_panels import Panel
from sr.ops.metrics_csv import Column

BASELINE = {"linestyle": (0, (5, 3)), "color": "#343a40", "linewidth": 1.4}
OUTSIDE = {"color": "#868e96", "markersize": 7, "linestyle": "", "clip_on": False}
ENOUGH = 8  # the smallest number of values of which some can be called unusual
PRESSED = 3  # a baseline that makes the axis longer than this many times gets an axis with a gap
STEPS = [1, 2, 2.5, 5, 10]  # between two labels of an axis
GAP = 0.16  # of the height of the curve: the part of an axis with a gap that is below the gap, or above it


def scale_values(axes: Axes, panel: Panel) -> str:
    """Set the axis of values, and draw what depends on it; returns what the title has to say of it."""
    values = np.array([value for line in panel.lines.values() for _, value in line if isfinite(value)])
    if not len(values):
        return ": no finite value"
    if _is_logarithmic(panel, values):
        return _logarithmic(axes, values)
    low, high = values.min(), values.max()
    if panel.unusual and len(values) >= ENOUGH:
        low, high = usual_range(values)
    _linear(axes, panel, float(low), float(high))
    return ""


def _is_logarithmic(panel: Panel, values: np.ndarray) -> bool:
    if panel.logarithmic:
        return bool(values.any())  # zeros alone need no scale
    return panel.may_be_logarithmic and values.min() > 0 and bool(values.max() > 10 * values.min())


def _logarithmic(axes: Axes, values: np.ndarray) -> str:
    """A logarithmic axis; around zero it is linear where a value is not above zero, since it has no logarithm."""
    sizes = np.abs(values[values != 0])
    words = ""
    if values.min() > 0:
        axes.set_yscale("log")
        low, high = values.min() / 1.2, values.max() * 1.2
        axes.set_ylim(low, high)
        ticks = _logarithmic_ticks(low, high)
    else:
        smallest = 10.0 ** floor(log10(np.percentile(sizes, 5)))
        axes.set_yscale("symlog", linthresh=smallest, linscale=0.5)
        ends = [sign * size for sign in (-1, 1) for size in (smallest, 10.0 ** floor(log10(sizes.max())))]
        ends = sorted(set(ends))
        ticks = [0.0, *(end for end in ends if 1.3 * values.min() <= end <= 1.3 * values.max())]
        words = f", linear below {smallest:g}"
    axes.yaxis.set_minor_locator(NullLocator())
    _set_ticks(axes, ticks, [f"{tick:g}" for tick in ticks])
    return words


def _logarithmic_ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers of a range above zero, where it has so many."""
    ticks: list[float] = []
    for subs in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)):
        powers = range(floor(log10(low)), ceil(log10(high)) + 1)
        ticks = [sub * 10.0**power for power in powers for sub in subs if low <= sub * 10.0**power <= high]
        if len(ticks) >= 3:
            return ticks[:: ceil(len(ticks) / 7)]
    linear = MaxNLocator(4, steps=STEPS).tick_values(low, high)
    return [float(tick) for tick in linear if low <= tick <= high]


def usual_range(values: np.ndarray) -> tuple[float, float]:
    """The range of the values without those that are far away from most, as the first ones of a training are.

    Args:
        values: (N,), N > 0.
    """
    low, high = np.percentile(values, [10, 90])
    reach = 1.5 * (high - low)
    inside = values[(values >= low - reach) & (values <= high + reach)]
    return float(inside.min()), float(inside.max())


def _linear(axes: Axes, panel: Panel, low: float, high: float) -> None:
    """A linear axis from low to high and, if it would become much longer by it, a gap and then bicubic."""
    steps, values = columns([point for point in panel.baseline if isfinite(point[1])])
    wide = min([low, *values]), max([high, *values])
    apart = bool(steps) and high > low and wide[1] - wide[0] > PRESSED * (high - low)
    if not apart:
        low, high = wide
    room = 0.06 * (high - low) or 0.02 * abs(high) or 1.0
    bottom, top = low - room, high + room
    ticks = [
        float(tick) for tick in MaxNLocator(5, steps=STEPS).tick_values(bottom, top) if bottom <= tick <= top
    ]
    texts = plain_numbers(ticks)
    places = values
    if apart:
        below = values[-1] < low
        beyond = GAP * (top - bottom)
        edge = bottom if below else top
        bottom, top = (bottom - beyond, top) if below else (bottom, top + beyond)
        places = [edge + (-1 if below else 1) * 0.55 * beyond] * len(values)
        ticks, texts = [*ticks, places[-1]], [*texts, f"{values[-1]:{panel.digits}}"]
        _mark_gap(axes, (edge - bottom) / (top - bottom))
    axes.set_ylim(bottom, top)
    if steps:
        ends = [0, *steps, 2 * steps[-1] + 1]  # to both sides of the plot
        label = f"bicubic {values[-1]:{panel.digits}}"
        axes.plot(ends, [places[0], *places, places[-1]], label=label, **BASELINE)  # type: ignore[arg-type]
    _mark_outside(axes, panel, low, high)
    _set_ticks(axes, ticks, texts)


def _mark_gap(axes: Axes, height: float) -> None:
    """Two strokes across the axis where it leaves out a range.

    Args:
        height: the place of the gap as a part of the height of the plot.
    """
    half = 0.012
    place = {"transform": axes.transAxes, "clip_on": False, "zorder": 5}
    axes.plot([0, 0], [height - half, height + half], color="white", linewidth=3, **place)  # type: ignore[arg-type]
    for end in (height - half, height + half):
        axes.plot([-0.012, 0.012], [end - half, end + half], color="black", linewidth=1, gid="gap", **place)  # type: ignore[arg-type]


def _mark_outside(axes: Axes, panel: Panel, low: float, high: float) -> None:
    """A triangle at the edge for every value beyond the range."""
    bottom, top = axes.get_ylim()
    for line in panel.lines.values():
        for marker, edge, beyond in (
            ("v", bottom, [(step, value) for step, value in line if value < low]),
            ("^", top, [(step, value) for step, value in line if value > high]),
        ):
            if beyond:
                furthest = (min if marker == "v" else max)(value for _, value in beyond)
                label = f"{len(beyond)} beyond, to {furthest:{panel.digits}}"
                steps = [step for step, _ in beyond]
                axes.plot(steps, [edge] * len(steps), marker=marker, label=label, **OUTSIDE)  # type: ignore[arg-type]


def plain_numbers(values: Sequence[float]) -> list[str]:
    """Numbers at equal steps as text, with as few digits as tell them apart: `0.25`, `0.50`; far from 1 as `2e-05`."""
    if len(values) < 2:
        return [f"{value:.6g}" for value in values]
    step = min(abs(b - a) for a, b in pairwise(values))
    usual = 1e-3 <= max(map(abs, values)) < 1e5
    for digits in range(12):
        texts = [
            f"{value:z,.{digits}f}" if usual else f"{value:.{digits}e}" if value else "0" for value in values
        ]
        read = [float(text.replace(",", "")) for text in texts]
        if all(abs(number - value) < 0.01 * step for number, value in zip(read, values, strict=True)):
            return texts
    return [f"{value:g}" for value in values]


def _set_ticks(axes: Axes, ticks: Sequence[float], texts: Sequence[str]) -> None:
    axes.yaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.yaxis.set_major_formatter(FixedFormatter(list(texts)))


def columns(points: Column) -> tuple[list[int], list[float]]:
    """The iterations and the values of some points."""
    return [step for step, _ in points], [value for _, value in points]
