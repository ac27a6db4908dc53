"""The end of every sweep, whichever sweeper and launcher ran it: `hydra.callbacks` in conf/train.yaml."""

import atexit
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from sr.ops.file_lock import InUseError, alone_in
from sr.sweep.job import FAILED, RECORD, read_jobs
from sr.sweep.pareto import Objective, objective
from sr.sweep.report import draw, rows, text, write_csv

INTERRUPTED = 130  # exit status, as of a shell's Ctrl-C
# What holds the sweep's directory until this process ends: not the callback, since launchers pickle that.
_held = ExitStack()
atexit.register(_held.close)


class SweepSummary(Callback):
    """Ends the program with status 1 if a job failed, or if another sweep is at work in the directory."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """A grid begins anew, also in the directory of an earlier one, whose jobs may be others; a study goes on."""
        try:
            _held.enter_context(alone_in(Path(config.hydra.sweep.dir), key="hydra.sweep.dir"))
        except InUseError as error:
            sys.exit(f"error: {error}")  # Hydra would turn every other exception of a callback into a warning
        if "objectives" not in config.hydra.sweeper:
            for file in Path(config.hydra.sweep.dir).glob(f"*/{RECORD}"):
                file.unlink()

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
    failed = [job for job in jobs if job.status == FAILED]
    for job in failed:
        print(f"failed: job {job.number}: {job.reason()}", file=sys.stderr)
    return [job.number for job in failed]


def end_interrupted(hydra: DictConfig, *, monitor: str) -> NoReturn:
    """The table of what there is."""
    summarize(hydra, monitor=monitor)
    sys.exit(INTERRUPTED)


def objectives_of(sweeper: DictConfig, *, monitor: str) -> list[Objective]:
    """What the sweeper is after; of a grid the monitored metric."""
    if "objectives" in sweeper:
        return [objective(each.metric, each.get("direction")) for each in sweeper.objectives]
    return [objective(f"val/{monitor}")]
