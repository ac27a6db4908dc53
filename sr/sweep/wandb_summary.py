"""A sweep as a run of its own in Weights & Biases, in the group of its jobs."""

import csv
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.utils import get_class, instantiate
from lightning.pytorch.loggers import WandbLogger
from omegaconf import DictConfig

from sr.sweep.run_names import SUMMARY, group

log = logging.getLogger(__name__)


def show_in_wandb(config: DictConfig, sweep: Path, *, table: Path, picture: Path) -> None:
    """Open a run with the table of a sweep (`sweep/jobs`) and its picture (`sweep/picture`), where W&B is a logger.

    Args:
        config: the configuration of the runs, with `name` and `logger`.
        sweep: the directory of the sweep, in which W&B makes its folder `wandb`.
        table: the CSV file of the sweep.
        picture: the PNG file of the sweep; it may be missing.
    """
    for node in config.logger.values():
        if issubclass(get_class(node["_target_"]), WandbLogger):
            import wandb  # here, because it takes a second to import

            try:
                _open_run(node, config.name, sweep, table=table, picture=picture)
            except (wandb.Error, OSError) as error:  # the sweep itself has ended, with its own exit status
                log.error("W&B has no summary of this sweep: %s", error)


def _open_run(node: DictConfig, experiment: str, sweep: Path, *, table: Path, picture: Path) -> None:
    import wandb

    found = node.get("group") or os.environ.get("WANDB_RUN_GROUP") or group(experiment, sweep)
    logger: WandbLogger = instantiate(
        node,
        save_dir=str(sweep.absolute()),
        name=f"{found} {SUMMARY}",
        group=found,
        job_type=SUMMARY,
        log_model="none",
    )
    columns, rows = read_table(table)
    shown: dict[str, Any] = {"sweep/jobs": wandb.Table(columns=list(columns), data=rows)}
    if picture.is_file():
        shown["sweep/picture"] = wandb.Image(str(picture), caption=found)
    logger.experiment.log(shown)
    logger.experiment.finish()


def read_table(file: Path) -> tuple[list[str], list[list[Any]]]:
    """The columns and the rows of a CSV file; a column of numbers alone is given as numbers, with None for no value."""
    with file.open(newline="") as lines:
        columns, *rows = csv.reader(lines)
    typed = [_numbers(column) for column in zip(*rows, strict=True)] if rows else []
    return columns, [list(row) for row in zip(*typed, strict=True)]


def _numbers(cells: Sequence[str]) -> Sequence[Any]:
    try:
        return [float(cell) if cell else None for cell in cells]
    except ValueError:
        return [cell or None for cell in cells]
