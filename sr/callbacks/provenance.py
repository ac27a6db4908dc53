"""The origin of trained weights: code, images, quality."""

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import lightning as L

from sr.callbacks.sr_module import sr_module

ROOT = Path(__file__).parents[2]


class Provenance(L.Callback):
    """Records in every checkpoint, under `provenance`, the code and the images that it comes from, and its quality.

    `version` of the package, `git_revision` (None outside a clone; with `-dirty` if files were changed), `iteration`,
    `epoch`, `seconds` of training (of all starts of a resumed run, validations included), `metrics` of the last
    validation by name, and `data`: the number of training images and the SHA-256 of their list
    (`SRDataModule.listing`), so that two sets can be told apart without being published.
    """

    def __init__(self) -> None:
        self._code: dict[str, Any] = {}
        self._data: dict[str, Any] | None = None
        self._before = 0.0  # seconds until the checkpoint that is resumed
        self._began = 0.0

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self._before = checkpoint.get("provenance", {}).get("seconds", 0.0)

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._began = perf_counter()
        self._code = {"version": version("sr-lightning"), "git_revision": git_revision(ROOT)}
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        self._data = list_digest(data.listing()) if data is not None else None

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        quantities = sr_module(pl_module).metric.quantities
        found = {name: trainer.callback_metrics.get(f"val/{name}") for name in quantities}
        metrics = {name: float(value) for name, value in found.items() if value is not None}
        checkpoint["provenance"] = {
            **self._code,
            "iteration": trainer.global_step,
            "epoch": trainer.current_epoch,
            "seconds": round(self._before + perf_counter() - self._began, 1),
            "metrics": metrics,
            "data": self._data,
        }


def list_digest(lines: Sequence[str]) -> dict[str, Any]:
    """The number of lines, and the SHA-256 of the sorted lines in UTF-8, with a newline after each."""
    text = "".join(f"{line}\n" for line in sorted(lines))
    return {"files": len(lines), "sha256": hashlib.sha256(text.encode()).hexdigest()}


def git_revision(folder: Path) -> str | None:
    """The commit of a clone, with `-dirty` if tracked files differ from it; None if the folder is no clone."""
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None
    command = [git, "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
