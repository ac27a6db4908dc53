"""How the runs of a sweep are found again in Weights & Biases: one group, and names that say what varies."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from sr.ops.node_names import node_text

JOB, SUMMARY = "job", "summary"
LONGEST = 128  # characters of a name


def group(experiment: str, sweep: Path) -> str:
    """The group of the runs of a sweep: the experiment and the directory of the sweep."""
    return f"{experiment} {sweep.absolute().name}"


def environment(*, experiment: str, sweep: Path, number: int, varied: Sequence[str]) -> dict[str, str]:
    """The variables from which W&B takes group, kind and name of a job.

    Args:
        experiment: the root key `name`.
        sweep: the directory of the sweep.
        number: the number of the job.
        varied: the overrides that make this job different from others, as `key=value`.
    """
    shown = (f"{key}={node_text(value)}" for key, _, value in (each.partition("=") for each in varied))
    return {
        "WANDB_RUN_GROUP": group(experiment, sweep),
        "WANDB_JOB_TYPE": JOB,
        "WANDB_NAME": " ".join([experiment, str(number), *shown])[:LONGEST],
    }


def varied_overrides(overrides: Sequence[str], sweep: Path) -> list[str]:
    """Those overrides of a job that differ between the jobs of its grid; all of them where that is not known.

    Args:
        overrides: the overrides of the job, as `key=value`.
        sweep: the directory of the sweep, in which Hydra has left `multirun.yaml` before the first job.
    """
    file = sweep / "multirun.yaml"
    if not file.is_file():
        return list(overrides)
    hydra: Any = OmegaConf.load(file).hydra
    given = [f"{key}={value}" for key, value in (hydra.sweeper.get("params") or {}).items()]
    parsed = OverridesParser.create().parse_overrides([*given, *hydra.overrides.task])
    keys = {each.get_key_element() for each in parsed if each.is_sweep_override()}
    return [each for each in overrides if each.partition("=")[0] in keys]
