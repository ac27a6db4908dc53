"""The jobs of a sweep: `sr-train -m`."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from sr.ops.program_names import to_start
from sr.sweep.job import run_job, search_path
from sr.sweep.run_names import environment, varied_overrides
from sr.sweep.summary import end_interrupted


def run(hydra_config: Any, cfg: DictConfig) -> None:
    """Run one job of a sweep. A failed job is reported at the end (sr/sweep/summary.py); the other jobs continue.

    Args:
        hydra_config: the configuration of Hydra itself, with the overrides and the directory of this job.
        cfg: the configuration of the job.
    """
    number, overrides = hydra_config.job.num, list(hydra_config.overrides.task)
    sweep = Path(hydra_config.sweep.dir)
    varied = varied_overrides(overrides, sweep)
    try:
        run_job(
            to_start("train"),
            number=number,
            overrides=overrides,
            folder=Path(hydra_config.runtime.output_dir),
            options=search_path(hydra_config),
            environment=environment(experiment=cfg.name, sweep=sweep, number=number, varied=varied),
        )
    except KeyboardInterrupt:
        end_interrupted(hydra_config, cfg)
