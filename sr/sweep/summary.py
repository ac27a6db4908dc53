"""The end of every sweep, whichever sweeper and launcher ran it: `hydra.callbacks` in conf/train.yaml."""

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from sr.metrics.direction import lower_is_better
from sr.sweep.job import FAILED, read_jobs
from sr.sweep.pareto import MAXIMIZE, MINIMIZE, Objective
from sr.sweep.report import draw, rows, text, write_csv


class SweepSummary(Callback):
    """Ends the program with status 1 if a job failed."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        if summarize(config.hydra, monitor=config.monitor):
            sys.exit(1)


def summarize(hydra: DictConfig, *, monitor: str) -> list[int]:
    """Print the table of all jobs, write sweep.csv and sweep.png into the sweep's directory; returns who failed."""
    folder = Path(hydra.sweep.dir)
    objectives, jobs = objectives_of(hydra.sweeper, monitor=monitor), read_jobs(folder)
    if not jobs:
        return []
    table = rows(jobs, objectives)
    print(f"\n{text(table, objectives)}\n")
    write_csv(folder / "sweep.csv", table, objectives)
    draw(folder / "sweep.png", jobs, objectives)
    print(*(file for file in (folder / "sweep.csv", folder / "sweep.png") if file.exists()), sep="   ")
    failed = [job.number for job in jobs if job.status == FAILED]
    if failed:
        named = ", ".join(map(str, failed))
        print(f"failed: {named} (their directories have a train.log)", file=sys.stderr)
    return failed


def objectives_of(sweeper: DictConfig, *, monitor: str) -> list[Objective]:
    """What the sweeper is after; of a grid the monitored metric."""
    if "objectives" in sweeper:
        return [Objective(each.metric, each.direction) for each in sweeper.objectives]
    return [Objective(f"val/{monitor}", MINIMIZE if lower_is_better(monitor) else MAXIMIZE)]
