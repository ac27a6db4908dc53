"""A Weights & Biases logger that never asks for an account."""

import inspect
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import wandb
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from sr.loggers.checkpoint_artifacts import ALL, BEST, NONE, CheckpointArtifacts
from sr.ops.private_lightning import end_wandb, start_wandb, wandb_settings
from sr.ops.wandb_account import logged_in

AXIS = "iteration"
DATA_DIR = "WANDB_DATA_DIR"
# Values of WANDB_MODE; the second is the former name, which Lightning leaves behind after an offline run.
OFFLINE = ("offline", "dryrun")
_ours: set[str] = set()  # what this process has put there itself
# The logger itself decides these.
OWN = ("self", "kwargs", "anonymous", "dir", "mode", "config", "resume")


class OfflineFirstWandbLogger(WandbLogger):
    """Lightning's W&B logger, offline unless the user is logged in (or WANDB_MODE says otherwise).

    The axis of everything is `iteration`, the number of generator updates, as in the names of files. What WANDB_NAME,
    WANDB_RUN_GROUP and WANDB_JOB_TYPE say, as in the jobs of a sweep, names the run where the configuration leaves it
    open.

    Args:
        save_dir: the run directory, in which W&B makes its folder `wandb`.
        project: the W&B project.
        name: the name of the run in the project; WANDB_NAME is preferred, because it names one run among many.
        entity: the user or the team that the project belongs to; None takes the account's default.
        group: the group of the run, such as a sweep; None takes WANDB_RUN_GROUP.
        job_type: the kind of the run within its group; None takes WANDB_JOB_TYPE.
        tags: words to find the run by.
        notes: a longer description.
        log_model: the checkpoints that become versions of the artifact `<checkpoint_name>`: `best` the best one when
            training ends, `all` every best and every last one as they are saved, `none` none.
        checkpoint_name: the name of that artifact; None takes the names of experiment and run.
        offline: whether the run stays on this machine until `wandb sync`; None decides by the account.
        prefix: a word before the keys of all metrics.
        settings: values of `wandb.Settings` by name.
        others: other arguments of Lightning's WandbLogger or of `wandb.init`.

    Raises:
        ValueError: neither Lightning's WandbLogger nor `wandb.init` has such an argument; or log_model is none of the
            choices.
    """

    def __init__(
        self,
        *,
        save_dir: str,
        project: str,
        name: str,
        entity: str | None = None,
        group: str | None = None,
        job_type: str | None = None,
        tags: Sequence[str] | None = None,
        notes: str | None = None,
        log_model: Literal["none", "best", "all"] = "none",
        checkpoint_name: str | None = None,
        offline: bool | None = None,
        prefix: str = "",
        settings: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> None:
        check_names(others)
        if log_model not in (NONE, BEST, ALL):
            raise ValueError(f"logger.wandb.log_model={log_model}: choose one of {NONE}, {BEST}, {ALL}")
        # W&B falls back to a temporary folder where it is missing.
        Path(save_dir).mkdir(parents=True, exist_ok=True)
        mode = os.environ.get("WANDB_MODE")
        if offline is None:
            offline = mode in OFFLINE if mode else not logged_in()
        # All that W&B prints of an offline run is where its files are, which the run reports at its end.
        chosen = {**({"silent": True} if offline else {}), **(settings or {})}
        named: dict[str, Any] = {"entity": entity, "group": group, "job_type": job_type, "notes": notes}
        super().__init__(
            save_dir=save_dir,
            project=project,
            name=os.environ.get("WANDB_NAME") or name,
            offline=offline,
            prefix=prefix,
            settings=wandb.Settings(**chosen) if chosen else None,
            tags=list(tags) if tags else None,
            **{key: value for key, value in named.items() if value is not None},
            **others,
        )
        del wandb_settings(self)[
            "anonymous"
        ]  # Lightning passes an argument that W&B has removed and warns of
        self._run_dir = Path(save_dir)
        self._axis = f"{prefix}{self.LOGGER_JOIN_CHAR}{AXIS}" if prefix else AXIS
        self._has_axis = False
        self._is_ours = False  # whether this logger has opened the run
        self._artifacts = CheckpointArtifacts(which=log_model, name=checkpoint_name, experiment=name)

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The W&B run, which is opened by the first call."""
        if not self._has_axis:
            self._has_axis = True
            if self._offline:
                keep_copies_in(self._run_dir / "wandb")
            self._is_ours = start_wandb(self)
            run: Any = super().experiment
            run.define_metric(self._axis, hidden=True)
            run.define_metric("*", step_metric=self._axis, step_sync=True)
        return super().experiment

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log what belongs to an iteration.

        Args:
            metrics: numbers, or tables and pictures of W&B, by key.
            step: the number of generator updates.
        """
        super().log_metrics(metrics if step is None else {**metrics, AXIS: step})

    def rewind(self, iteration: int) -> None:
        """Continue the run in the run directory; W&B keeps what was logged after `iteration` too."""
        latest = self._run_dir / "wandb" / "latest-run"  # a link to (offline-)run-<time>-<id>
        if latest.exists():
            number = latest.resolve().name.rsplit("-", 1)[1]
            wandb_settings(self).update(id=number, resume="allow")

    # Checkpoints

    @rank_zero_only
    def log_checkpoint(self, file: Path, kind: str) -> None:
        """Take a checkpoint that has been saved. `kind` is `best` or `last`."""
        self._artifacts.saved(file, kind, self.experiment)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Give W&B the best checkpoint, however training has ended, and end the run.

        Otherwise the next training of the same process would be logged into this run. A run that the user has opened
        is the user's to end.
        """
        if self._has_axis:
            self._artifacts.ended(self.experiment)
        super().finalize(status)
        if self._is_ours:
            end_wandb(self, exit_code=0 if status == "success" else 1)
            self._has_axis = self._is_ours = False


def keep_copies_in(folder: Path) -> None:
    """Have W&B keep the pictures of tables and the checkpoints of an offline run beside it, until they are uploaded.

    By default it copies them to the user's home, where nobody removes them. A directory of the user's own is respected.
    """
    if os.environ.get(DATA_DIR) in (None, *_ours):
        _ours.add(str(folder.absolute()))
        os.environ[DATA_DIR] = str(folder.absolute())


def check_names(arguments: Mapping[str, Any]) -> None:
    """Raises ValueError for arguments that neither Lightning's WandbLogger nor `wandb.init` has."""
    functions = (WandbLogger.__init__, wandb.init)
    known = {name for function in functions for name in inspect.signature(function).parameters} - {*OWN}
    unknown = sorted(set(arguments) - known)
    if unknown:
        raise ValueError(
            f"{', '.join(f'logger.wandb.{name}' for name in unknown)}: W&B has no such argument; it has"
            f" {', '.join(sorted(known))}"
        )
