"""Checkpoints as versions of a W&B artifact."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sr.ops.weight_file import read_weight_file

NONE, BEST, ALL = "none", "best", "all"
FILE = "model.ckpt"


class CheckpointArtifacts:
    """Makes versions of one artifact of type `model`, each with a file `model.ckpt` and where it comes from.

    The aliases of a version are `best` or `last`, and `iteration-<number>`; W&B adds `latest`. Its metadata is the
    provenance in the checkpoint: iteration, metrics of the validation, revision of the code, digest of the images.

    Args:
        which: `best`, `all` or `none`, see `sr.loggers.wandb`.
        name: the name of the artifact; None takes `<experiment>-<id of the run>`.
        experiment: the name of the experiment.
    """

    def __init__(self, *, which: str, name: str | None, experiment: str) -> None:
        self.which = which
        self.name = name
        self.experiment = experiment
        self._best: Path | None = None

    def saved(self, file: Path, kind: str, run: Any) -> None:
        """Take a checkpoint of a kind, `best` or `last`; W&B copies the file, which may be replaced afterwards."""
        if self.which == ALL:
            self._upload(file, kind, run)
        elif self.which == BEST and kind == BEST:
            self._best = file

    def ended(self, run: Any) -> None:
        """Give the best checkpoint, if it waits for the end."""
        if self._best is not None:
            self._upload(self._best, BEST, run)
            self._best = None

    def _upload(self, file: Path, kind: str, run: Any) -> None:
        import wandb  # here, because it takes a second to import

        metadata = _metadata(file)
        name = artifact_name(self.name or f"{self.experiment}-{run.id}")
        artifact = wandb.Artifact(name, type="model", metadata=metadata)
        artifact.add_file(str(file), name=FILE)
        run.log_artifact(artifact, aliases=[kind, f"iteration-{metadata['iteration']}"])


def artifact_name(text: str) -> str:
    """The text with `_` for every character that W&B does not allow in the name of an artifact."""
    return re.sub(r"[^\w.-]", "_", text, flags=re.ASCII)


def _metadata(file: Path) -> dict[str, Any]:
    content: Any = read_weight_file(file, mmap=True).content
    provenance, config = (content.get(key) for key in ("provenance", "config"))
    found: dict[str, Any] = {"iteration": content["global_step"]}
    found |= provenance if isinstance(provenance, Mapping) else {}
    if isinstance(config, Mapping):
        found |= {key: config[key] for key in ("name", "scale", "channels", "generator") if key in config}
    return found
