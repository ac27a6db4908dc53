"""A sweep as a picture: the objectives against each parameter, all parameters together, and their importance."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from sr.ops.whole_file import replacing
from sr.sweep.importance import Importance
from sr.sweep.parallel import draw_parallel
from sr.sweep.parameters import Parameter
from sr.sweep.pareto import MAXIMIZE
from sr.sweep.results import BEST, FEW, OTHER, Results, better, short

COLUMNS = 3  # plots beside each other
WIDTH, HEIGHT = 5.2, 4.0  # of a plot, in inches
ROOM = 44  # characters below a plot, in a row; labels of categories that need more are slanted
STEPS = [1, 2, 2.5, 5, 10]  # between two labels of an axis


def draw(file: Path, results: Results) -> None:
    """Write the picture; nothing is written where no job has a result."""
    if not results.values:
        return
    with replacing(file) as out:
        sweep_figure(results).savefig(out, format="png", dpi=110)


def sweep_figure(results: Results) -> Figure:
    """The picture as a figure.

    From top to bottom: two objectives against each other, and the importance of parameters; each objective against each
    parameter, or against the job where no parameter differs; several parameters as parallel coordinates.
    """
    rows = _rows(results)
    together = len(results.parameters) > 1
    columns = max(map(len, rows))
    figure = Figure(
        figsize=(WIDTH * max(columns, 1 + together), HEIGHT * (len(rows) + together)), layout="constrained"
    )
    figure.suptitle(f"{len(results.values)} of {results.of} jobs have a result", size=11)
    grid = figure.add_gridspec(len(rows) + together, columns)
    for number, row in enumerate(rows):
        for column, draw_plot in enumerate(row):
            # Importance, which is the last of the first row, takes the room that is left there.
            ends = columns if number == 0 and results.importance and draw_plot is row[-1] else column + 1
            draw_plot(figure.add_subplot(grid[number, column:ends]))
    if together:
        draw_parallel(figure.add_subplot(grid[len(rows), :]), results)
    return figure


def _rows(results: Results) -> list[list[Callable[[Axes], None]]]:
    """The plots of each row, as functions that draw them."""
    first: list[Callable[[Axes], None]] = []
    if len(results.objectives) > 1:
        first.append(partial(_draw_front, results=results))
    if results.importance:
        first.append(partial(_draw_importance, importance=results.importance))
    rows = [first] if first else []
    parameters: Sequence[Parameter | None] = results.parameters or [None]
    for place in range(len(results.objectives)):
        plots: list[Callable[[Axes], None]] = [
            partial(_draw_against, results=results, place=place, parameter=parameter)
            for parameter in parameters
        ]
        rows += [plots[start : start + COLUMNS] for start in range(0, len(plots), COLUMNS)]
    return rows


def _draw_against(axes: Axes, *, results: Results, place: int, parameter: Parameter | None) -> None:
    """An objective against a parameter; against the number of the job where no parameter differs."""
    objective, best = results.objectives[place], results.best()
    x = {job: float(job) if parameter is None else _x(parameter, job) for job in results.values}
    if parameter is not None and parameter.logarithmic:
        axes.set_xscale("log")
    for job, values in results.values.items():
        axes.plot(x[job], values[place], "o", color=BEST if job in best else OTHER, markersize=6, alpha=0.8)
    labelled = min(best, key=lambda job: -objective.score(results.values[job][place]))
    axes.plot([], [], "o", color=BEST, label=f"best: job {labelled}" if len(best) == 1 else "beaten by none")
    _set_axis(axes, parameter)
    axes.set_ylabel(f"{objective.metric} ({better(objective)})")
    _plain(axes)
    _finish(axes)


def _draw_front(axes: Axes, *, results: Results) -> None:
    """The first two objectives against each other."""
    first, second = results.objectives[:2]
    best = results.best()
    points = {job: (values[0], values[1]) for job, values in results.values.items()}
    if len(results.objectives) == 2:
        # Steps, because nothing between two jobs has been reached.
        line = sorted(points[job] for job in best)
        stairs: Any = "steps-pre" if first.direction == MAXIMIZE else "steps-post"
        axes.plot(*zip(*line, strict=True), color=BEST, linewidth=1, drawstyle=stairs, label="Pareto front")
    for job, (x, y) in points.items():
        axes.plot(x, y, "o", color=BEST if job in best else OTHER)
    axes.plot([], [], "o", color=BEST, label="beaten by none")
    label_apart(axes, {str(job): points[job] for job in sorted(best)})
    axes.set_xlabel(f"{first.metric} ({better(first)})")
    axes.set_ylabel(f"{second.metric} ({better(second)})")
    _plain(axes, x=True)
    _finish(axes)


def label_apart(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Write labels beside points, and leave out those that would lie on another one.

    Args:
        axes: the plot, with its points.
        points: label -> place.
    """
    axes.margins(0.12)
    axes.autoscale_view()
    taken: list[tuple[float, float]] = []
    for label, point in points.items():
        x, y = axes.transData.transform(point)
        if all(abs(x - other) > 26 or abs(y - above) > 16 for other, above in taken):
            axes.annotate(label, point, xytext=(-5, 5), textcoords="offset points", size=8, ha="right")
            taken.append((float(x), float(y)))


def _draw_importance(axes: Axes, *, importance: Importance) -> None:
    """A bar for each parameter, and for each objective where there are several."""
    keys = list(next(iter(importance.values())))[::-1]
    height = 0.8 / len(importance)
    for number, (metric, shares) in enumerate(importance.items()):
        places = [place + number * height for place in range(len(keys))]
        bars = axes.barh(places, [shares[key] for key in keys], height * 0.9, label=metric)
        axes.bar_label(bars, fmt="%.2f", padding=3, size=8)
    middle = height * (len(importance) - 1) / 2
    axes.set_yticks([place + middle for place in range(len(keys))], [short(key) for key in keys])
    axes.set_xlim(0, 1.12 * max(max(shares.values()) for shares in importance.values()) or 1)
    axes.set_xlabel("importance (Optuna's PED-ANOVA); all add up to 1")
    if len(importance) > 1:
        _legend(axes)


def _x(parameter: Parameter, job: int) -> float:
    return parameter.numbers[job] if parameter.numbers else parameter.place(job)


def _set_axis(axes: Axes, parameter: Parameter | None) -> None:
    if parameter is None:
        axes.set_xlabel("job")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        return
    axes.set_xlabel(parameter.name)
    if parameter.categories:
        crowded = sum(len(short(text)) + 2 for text in parameter.categories) > ROOM
        slanted: Any = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
        names = [short(text) for text in parameter.categories]
        axes.set_xticks(range(len(names)), names, **slanted)
        axes.set_xlim(-0.5, len(parameter.categories) - 0.5)
    elif parameter.logarithmic:
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=9))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    elif len(set(parameter.numbers.values())) <= FEW:
        axes.set_xticks(sorted(set(parameter.numbers.values())))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
        axes.ticklabel_format(axis="x", useOffset=False)


def _plain(axes: Axes, *, x: bool = False) -> None:
    """No offset such as `1e-5+2.9e1` at the end of an axis."""
    axes.ticklabel_format(axis="both" if x else "y", useOffset=False)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
    if x:
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=STEPS))


def _finish(axes: Axes) -> None:
    axes.margins(0.08, 0.12)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    _legend(axes)


def _legend(axes: Axes) -> None:
    """Above the plot, where it hides no point."""
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, fontsize=8)
