"""A sweep as a table, a CSV file and a picture."""

import csv
from collections.abc import Sequence
from math import isfinite, nan
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sr.ops.node_names import node_text
from sr.ops.text_table import aligned
from sr.sweep.job import DONE, Job
from sr.sweep.pareto import MAXIMIZE, Objective, front

Row = dict[str, str]


def rows(jobs: Sequence[Job], objectives: Sequence[Objective]) -> list[Row]:
    """One row for each job: number, the overrides that not all jobs share, status, seconds, objectives."""
    common = set.intersection(*(set(job.overrides) for job in jobs)) if jobs else set()
    made = []
    for job in jobs:
        own = dict(override.split("=", 1) for override in job.overrides if override not in common)
        own = {key: node_text(value) for key, value in own.items()}
        values = job.metrics()
        made.append(
            {
                "job": str(job.number),
                **own,
                "status": job.status,
                "seconds": f"{job.seconds:.0f}",
                **{each.metric: f"{values[each.metric]:.5g}" for each in objectives if each.metric in values},
            }
        )
    return made


def columns(table: Sequence[Row], objectives: Sequence[Objective]) -> list[str]:
    own = dict.fromkeys(key for row in table for key in row if key not in ("job", "status", "seconds"))
    measured = [each.metric for each in objectives]
    return ["job", *(key for key in own if key not in measured), "status", "seconds", *measured]


def text(table: Sequence[Row], objectives: Sequence[Objective]) -> str:
    """The table as text. Numbers that a search drew are rounded here and complete in the CSV file."""
    names = columns(table, objectives)
    lines = [names, *([_rounded(row.get(name, "")) for name in names] for row in table)]
    return "\n".join(aligned(lines, left=range(len(names))))


def _rounded(cell: str) -> str:
    try:
        return f"{float(cell):.5g}" if len(cell) > 12 else cell
    except ValueError:
        return cell


def write_csv(file: Path, table: Sequence[Row], objectives: Sequence[Objective]) -> None:
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, columns(table, objectives), restval="")
        writer.writeheader()
        writer.writerows(table)


def finished(jobs: Sequence[Job], objectives: Sequence[Objective]) -> dict[int, list[float]]:
    """Job number -> values, for the jobs that succeeded and have a finite value of every objective."""
    points = {}
    for job in jobs:
        values = job.metrics()
        if job.status == DONE and all(isfinite(values.get(each.metric, nan)) for each in objectives):
            points[job.number] = [values[each.metric] for each in objectives]
    return points


def draw(file: Path, jobs: Sequence[Job], objectives: Sequence[Objective]) -> None:
    """Draw one objective by job, or the first two against each other with the front of all of them."""
    points = finished(jobs, objectives)
    if not points:
        return
    numbers, values = list(points), list(points.values())
    best = front(values, objectives)
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.add_subplot()
    if len(objectives) == 1:
        drawn = [(float(number), value[0]) for number, value in zip(numbers, values, strict=True)]
        axes.set_xlabel("job")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel(_label(objectives[0]))
    else:
        drawn = [(value[0], value[1]) for value in values]
        axes.set_xlabel(_label(objectives[0]))
        axes.set_ylabel(_label(objectives[1]))
    if len(objectives) == 2:
        # Steps, because nothing between two jobs has been reached.
        line = sorted(drawn[index] for index in best)
        stairs = "steps-pre" if objectives[0].direction == MAXIMIZE else "steps-post"
        axes.plot(
            *zip(*line, strict=True), color="tab:orange", linewidth=1, drawstyle=stairs, label="Pareto front"
        )
    for index, (number, (x, y)) in enumerate(zip(numbers, drawn, strict=True)):
        axes.plot(x, y, "o", color="tab:orange" if index in best else "tab:blue")
        if len(objectives) > 1 or index in best:
            axes.annotate(str(number), (x, y), xytext=(-4, 5), textcoords="offset points", size=8, ha="right")
    axes.plot([], [], "o", color="tab:orange", label="best" if len(objectives) == 1 else "beaten by none")
    axes.margins(0.12)
    axes.grid(alpha=0.3)
    axes.legend(loc="best", fontsize=8)
    axes.set_title(f"{len(points)} of {len(jobs)} jobs have a result", size=10)
    figure.savefig(file, dpi=110)


def _label(objective: Objective) -> str:
    return f"{objective.metric} ({objective.direction})"
