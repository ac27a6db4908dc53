"""The directory of a run."""

import os
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from sr.run.checkpoint_names import FOLDER

AUTO = "auto"


def register_resolvers() -> None:
    """Make `${run_directory:...}` and `${output_directory:}` of conf/train.yaml known."""
    OmegaConf.register_new_resolver("run_directory", run_directory, replace=True)
    OmegaConf.register_new_resolver("output_directory", output_directory, replace=True)


def output_directory() -> str:
    """The directory of this run. Before it exists, as in `--cfg job --resolve`, the one that it would have."""
    hydra: Any = HydraConfig.get()
    return str(OmegaConf.select(hydra, "runtime.output_dir") or Path(hydra.run.dir).absolute())


def run_directory(resume: str | None, fresh: str) -> str:
    """The directory of a run for which the user gave none.

    Args:
        resume: the root key `resume`.
        fresh: the directory of a new run; its parent holds the runs of the experiment.
    """
    job = job_name()
    if resume is None or resume != AUTO:
        own = Path(resume).expanduser().parent if resume else None
        return str(own.parent) if own is not None and own.name == FOLDER else _shared(fresh, job)
    if job:  # the same directory for every start of the job
        return _shared(fresh, job)
    files = Path(fresh).parent.glob(f"*/{FOLDER}/*.ckpt")
    newest = max(files, key=lambda file: file.stat().st_mtime, default=None)
    return str(newest.parent.parent) if newest else fresh


def _shared(fresh: str, job: str | None) -> str:
    """A directory named after the job, because the clocks of processes started from outside do not agree."""
    return str(Path(fresh).with_name(job)) if job else fresh


def job_name() -> str | None:
    """The name of the job that started several processes of one run: torchrun's run id or SLURM's job number."""
    torchrun = os.environ.get("TORCHELASTIC_RUN_ID")
    if torchrun and torchrun != "none":
        return f"torchrun-{torchrun}"
    slurm = os.environ.get("SLURM_JOB_ID")
    several = os.environ.get("SLURM_NTASKS", "1") != "1"
    return f"slurm-{slurm}" if slurm and several else None
