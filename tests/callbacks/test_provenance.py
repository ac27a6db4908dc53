"""What a checkpoint says of its origin."""

import hashlib
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning as L
import pytest
import torch
from small_training import make

from sr.callbacks import provenance
from sr.callbacks.provenance import Provenance, git_revision, list_digest
from sr.training.psnr import PSNRModule


def git(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", "-C", str(folder), *names, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_digest_is_of_the_sorted_list() -> None:
    expected = hashlib.sha256(b"a.png 10\nb/c.png 20\n").hexdigest()
    assert list_digest(["b/c.png 20", "a.png 10"]) == {"files": 2, "sha256": expected}
    assert list_digest(["b/c.png 21", "a.png 10"])["sha256"] != expected


def test_the_revision_is_that_of_the_clone_and_tells_of_changes(tmp_path: Path) -> None:
    assert git_revision(tmp_path) is None
    git(tmp_path, "init")
    assert git_revision(tmp_path) is None  # nothing committed
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "first")
    git(tmp_path, "tag", "v1")
    revision = git(tmp_path, "rev-parse", "HEAD")
    assert git_revision(tmp_path) == revision
    assert git_revision(tmp_path / ".git") is None  # a folder inside a clone is none
    (tmp_path / "file").write_text("two")
    assert git_revision(tmp_path) == f"{revision}-dirty"


def test_a_machine_without_git_has_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init")
    monkeypatch.setattr(provenance.shutil, "which", lambda name: None)
    assert git_revision(tmp_path) is None


def test_a_checkpoint_gets_plain_values_alone(tmp_path: Path) -> None:
    losses = {"val/loss_g": torch.tensor(0.2), "train/loss_g": torch.tensor(0.1)}
    metrics = {"val/psnr_y": torch.tensor(28.5), "train/psnr_y": torch.tensor(27.5), **losses}
    trainer: Any = SimpleNamespace(
        datamodule=SimpleNamespace(listing=lambda: ["a.png 10"]),
        callback_metrics=metrics,
        global_step=20,
        current_epoch=2,
    )
    callback, checkpoint = Provenance(), {}
    callback.on_load_checkpoint(trainer, None, {"provenance": {"seconds": 100.0}})
    callback.on_fit_start(trainer, None)
    callback.on_save_checkpoint(trainer, make(PSNRModule), checkpoint)
    torch.save(checkpoint, tmp_path / "a.ckpt")
    said = torch.load(tmp_path / "a.ckpt", weights_only=True)["provenance"]
    assert said["metrics"] == {"psnr_y": 28.5}
    assert 100 <= said["seconds"] < 110  # those of the first start are counted
    assert (said["iteration"], said["epoch"]) == (20, 2)
    assert said["data"] == list_digest(["a.png 10"])
    assert said["version"] == provenance.version("sr-lightning")
    assert said["git_revision"] == git_revision(provenance.ROOT)


def test_the_module_of_another_project_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="LightningModule is no SRModule"):
        Provenance().on_save_checkpoint(SimpleNamespace(), L.LightningModule(), {})
