"""A sweep as a table and a CSV file, and what its picture shows."""

import csv
from collections.abc import Sequence
from math import isfinite, nan
from pathlib import Path

from sr.ops.node_names import node_text
from sr.ops.text_table import aligned
from sr.sweep.importance import Importance
from sr.sweep.job import DONE, Job
from sr.sweep.parameters import varied
from sr.sweep.pareto import Objective
from sr.sweep.results import Results

Row = dict[str, str]


def rows(jobs: Sequence[Job], objectives: Sequence[Objective]) -> list[Row]:
    """One row for each job: number, the overrides that not all jobs share, status, seconds, objectives."""
    own = _own(jobs)
    made = []
    for job in jobs:
        values = job.metrics()
        made.append(
            {
                "job": str(job.number),
                **own[job.number],
                "status": job.status,
                "seconds": f"{job.seconds:.0f}",
                **{each.metric: f"{values[each.metric]:.5g}" for each in objectives if each.metric in values},
            }
        )
    return made


def _own(jobs: Sequence[Job]) -> dict[int, dict[str, str]]:
    """Job number -> the overrides that not all jobs share, as typed."""
    common = set.intersection(*(set(job.overrides) for job in jobs)) if jobs else set()
    return {
        job.number: {
            key: node_text(value)
            for key, value in (each.split("=", 1) for each in job.overrides if each not in common)
        }
        for job in jobs
    }


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


def results(jobs: Sequence[Job], objectives: Sequence[Objective], *, importance: Importance) -> Results:
    """What the picture shows of the jobs."""
    values = finished(jobs, objectives)
    ended = [job for job in jobs if job.number in values]
    return Results(
        objectives=objectives,
        values=values,
        parameters=varied(ended, _own(jobs)),
        of=len(jobs),
        importance=importance,
    )
