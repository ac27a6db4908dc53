"""Panels of curves as one picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sr.callbacks.curve_axes import columns, scale_values
from sr.callbacks.curve_panels import TRAINING, VALIDATION, Panel
from sr.metrics.quantity import Quantity
from sr.ops.metrics_csv import Column

WIDTH = 1600  # of the picture, in pixels
COLUMNS = 3
DPI = 100
# In pixels: of the cell of a panel, and of what is around its plot.
CELL_HEIGHT, HEADER, FOOTER = 340, 60, 20
LEFT, RIGHT, TOP, BOTTOM = 100, 22, 90, 42
SMALL, LARGE = 13, 15  # points: 18 and 21 pixels, to be read where a page shows the picture at half its width
COLOURS = ("#1d5fc4", "#d9480f", "#2b8a3e", "#862e9c", "#0b7285", "#a61e4d", "#5c940d", "#495057")
OF_LINE = {VALIDATION: "#1d5fc4", TRAINING: "#93a4bd"}
GAN_COLOUR, BEST_COLOUR = "#c92a2a", "#e8590c"
BESIDE: Any = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
SMALLEST = 9.5  # points of a legend in one row
MEANS = 150  # the number of groups that many points are drawn in
FEW = 40  # the largest number of points that are marked singly


@dataclass(frozen=True, kw_only=True)
class Course:
    """What is known of a run besides its log.

    Attributes:
        title: the heading of the picture.
        quantities: name of a metric of the run -> what its values are.
        gan_begins: the iteration after which the discriminator trains too; None where it trains from the first one on,
            or never.
    """

    title: str
    quantities: Mapping[str, Quantity]
    gan_begins: int | None = None


def draw(panels: Sequence[Panel], course: Course) -> Figure:
    """A figure of `WIDTH` pixels. The places of all parts are fixed, because asking for them takes most of the time."""
    rows = ceil(len(panels) / COLUMNS)
    height = HEADER + rows * CELL_HEIGHT + FOOTER
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI)
    last = max(step for panel in panels for line in panel.lines.values() for step, _ in line)
    figure.text(LEFT / WIDTH, 1 - HEADER / 2 / height, course.title, size=19, weight="bold", va="center")
    begins = course.gan_begins if course.gan_begins is not None and course.gan_begins < last else None
    if begins is not None:
        words = f"the red line: after iteration {begins:,} the discriminator trains too"
        place = (1 - RIGHT / WIDTH, 1 - HEADER / 2 / height)
        figure.text(*place, words, size=LARGE, va="center", ha="right", color=GAN_COLOUR)
    for number, panel in enumerate(panels):
        row, column = divmod(number, COLUMNS)
        cell = WIDTH / COLUMNS
        bottom = height - HEADER - (row + 1) * CELL_HEIGHT + BOTTOM
        size = (cell - LEFT - RIGHT, CELL_HEIGHT - TOP - BOTTOM)
        axes = figure.add_axes(
            ((column * cell + LEFT) / WIDTH, bottom / height, size[0] / WIDTH, size[1] / height)
        )
        _draw_panel(axes, panel, last=last)
        _add_legend(axes, room=size[0] + RIGHT)
        if number + COLUMNS >= len(panels):
            axes.annotate("iteration", (1, 0), (0, -36), ha="right", size=SMALL, **BESIDE)
        if begins is not None:
            axes.axvline(begins, color=GAN_COLOUR, linewidth=1.3, zorder=1, gid="gan")
    return figure


def _draw_panel(axes: Axes, panel: Panel, *, last: int) -> None:
    for place, (label, points) in enumerate(panel.lines.items()):
        _draw_line(axes, points, label=label, colour=OF_LINE.get(label, COLOURS[place % len(COLOURS)]))
    best = panel.best()
    if best is not None:
        words = f"best {best[1]:{panel.digits}} at {best[0]:,}"
        axes.plot(*best, "*", color=BEST_COLOUR, markersize=15, label=words, zorder=4, clip_on=False)
    scale = scale_values(axes, panel)
    axes.set_xlim(0, last * 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _thousands(value)))
    axes.tick_params(labelsize=SMALL)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    # Not `set_title`, which looks for a place above everything else in the plot, as long as all the rest takes.
    axes.annotate(panel.title + scale, (0, 1), (0, 37), size=LARGE, weight="bold", **BESIDE)


def _draw_line(axes: Axes, points: Column, *, label: str, colour: str) -> None:
    """A line; of many points, their means in groups, and the points themselves pale behind them."""
    steps, values = columns(points)
    group = len(steps) // MEANS
    if group > 1:
        axes.plot(steps, values, color=colour, linewidth=0.6, alpha=0.22)
        whole = len(steps) // group * group  # the last ones, which fill no group, are in the pale line alone
        steps, values = (
            list(np.array(each[:whole], float).reshape(-1, group).mean(axis=1)) for each in (steps, values)
        )
    marker = "o" if len(steps) <= FEW else ""
    axes.plot(steps, values, color=colour, label=label, linewidth=1.6, marker=marker, markersize=3.5)


def _add_legend(axes: Axes, *, room: float) -> None:
    """Between the title and the plot, where it hides nothing: smaller, or in two rows, where it needs more room.

    Args:
        room: the width that the legend may have, in pixels.
    """
    handles, labels = axes.get_legend_handles_labels()
    if not labels:
        return
    rows = 1
    size = min(SMALL, SMALL * room / _legend_width(labels))
    if size < SMALLEST:
        rows = 2
        longest = sorted(labels, key=len)[-ceil(len(labels) / 2) :]
        size = min(SMALLEST, SMALL * room / _legend_width(longest))
    axes.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=ceil(len(labels) / rows),
        frameon=False,
        fontsize=size,
        handlelength=1.4,
        handletextpad=0.4,
        columnspacing=0.9,
        borderpad=0.2,
        labelspacing=0.2,
    )


def _legend_width(labels: Sequence[str]) -> float:
    """About the width of a row with these labels in the size SMALL, in pixels."""
    em = SMALL * DPI / 72
    return em * sum(0.62 * len(label) + 2.7 for label in labels)


def _thousands(value: float) -> str:
    """`2,000`, `200k`, `1.2M`."""
    if value < 10_000:
        return f"{value:,.0f}"
    return f"{value / 1000:g}k" if value < 1_000_000 else f"{value / 1_000_000:g}M"
