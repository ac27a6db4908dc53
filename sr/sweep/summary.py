"""The beginning and the end of every sweep, whichever sweeper and launcher runs it."""

import atexit
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig

from sr.metrics.monitor import monitored
from sr.metrics.quantity import Quantity, quantities_of
from sr.ops.exit_status import INTERRUPTED
from sr.ops.file_lock import InUseError, alone_in
from sr.sweep.importance import importance, importance_text
from sr.sweep.job import FAILED, RECORD, read_jobs
from sr.sweep.pareto import Objective, objective
from sr.sweep.picture import draw
from sr.sweep.report import results, rows, text, write_csv
from sr.sweep.wandb_summary import show_in_wandb

# Holds the lock on the sweep's directory until this process ends. The callback cannot, because launchers pickle it.
_held = ExitStack()
atexit.register(_held.close)


def begin(config: DictConfig) -> None:
    """Start a grid from its first job, even in the directory of an earlier grid; a study goes on.

    It ends the program before the first job when nothing says in which direction the objective is better, or if another
    sweep is using the directory.
    """
    try:
        objectives_of(config.hydra.sweeper, config)
    except (ValueError, InstantiationException) as error:  # Hydra would turn an exception into a warning
        sys.exit(f"error: {error.__cause__ or error}")
    try:
        _held.enter_context(alone_in(Path(config.hydra.sweep.dir), key="hydra.sweep.dir"))
    except InUseError as error:
        sys.exit(f"error: {error}")
    if "objectives" not in config.hydra.sweeper:
        for file in Path(config.hydra.sweep.dir).glob(f"*/{RECORD}"):
            file.unlink()


def summarize(hydra: DictConfig, config: DictConfig) -> list[int]:
    """Print the table of all jobs and the importance of what a search varied, and write both and the picture.

    Returns the jobs that failed.

    Args:
        hydra: the configuration of Hydra itself.
        config: the configuration of the runs, with `monitor` and `metric`.
    """
    folder = Path(hydra.sweep.dir)
    objectives, jobs = objectives_of(hydra.sweeper, config), read_jobs(folder)
    if not jobs:
        return []
    table = rows(jobs, objectives)
    print(f"\n{text(table, objectives)}\n")
    write_csv(folder / "sweep.csv", table, objectives)
    found = importance(folder, study_name=hydra.sweeper.get("study_name"), objectives=objectives)
    if found:
        print(f"{importance_text(found)}\n")
        (folder / "importance.txt").write_text(f"{importance_text(found)}\n")
    draw(folder / "sweep.png", results(jobs, objectives, importance=found))
    files = [folder / name for name in ("sweep.csv", "sweep.png", "importance.txt")]
    print(*(file for file in files if file.exists()), sep="   ")
    failed = [job for job in jobs if job.status == FAILED]
    for job in failed:
        print(f"failed: job {job.number}: {job.reason()}", file=sys.stderr)
    show_in_wandb(config, folder, table=folder / "sweep.csv", picture=folder / "sweep.png")
    return [job.number for job in failed]


def end_interrupted(hydra: DictConfig, config: DictConfig) -> NoReturn:
    """Print the table of the jobs that have ended, and end the program."""
    summarize(hydra, config)
    sys.exit(INTERRUPTED)


def objectives_of(sweeper: DictConfig, config: DictConfig) -> list[Objective]:
    """The objectives of the sweeper; for a grid, the monitored metric."""
    of_grid = [{"metric": f"val/{monitored(config.monitor)}"}]
    return directed(sweeper.objectives if "objectives" in sweeper else of_grid, config)


def directed(wanted: Iterable[Mapping[str, Any]], config: DictConfig) -> list[Objective]:
    """Give an objective without a direction that of the runs' metric, which is built to be asked."""
    known: Mapping[str, Quantity] = {}
    if any(each.get("direction") is None for each in wanted):
        known = quantities_of(instantiate(config.metric))
    return [objective(each["metric"], each.get("direction"), known) for each in wanted]
