"""Killed programs and full disks: nothing of a run is lost."""

import signal
from pathlib import Path

import pytest
from helpers import compose_config, same_state, small_gan
from small_runs import ENDLESS, SETTINGS, last, start, whole

from sr.programs.train import train

KILL = "os.kill(os.getpid(), signal.SIGKILL)"
IN_AN_ITERATION = f"""
from sr.training.base import SRModule
step = SRModule._step
def _step(self, stepping, **how):  # gradients are there, weights are not changed yet
    if self.global_step == 4:
        {KILL}
    step(self, stepping, **how)
SRModule._step = _step
"""
IN_VALIDATION = f"""
from sr.training.base import SRModule
validation_step = SRModule.validation_step
def killed(self, batch, batch_idx):
    if self.global_step == 6:
        {KILL}
    return validation_step(self, batch, batch_idx)
SRModule.validation_step = killed
"""
IN_A_WRITE = f"""
import torch
save = torch.save
def half(content, file):
    if content.get("global_step") == 5:
        file.write(b"PK" + bytes(100_000))
        file.flush()
        {KILL}
    save(content, file)
torch.save = half
"""
BETWEEN_TWO_RENAMES = f"""
from pathlib import Path
import torch
replace = Path.replace
def _replace(self, target):
    if self.name == ".last.part" and torch.load(self, weights_only=True)["global_step"] == 5:
        names = [self.with_name(name) for name in ("last.ckpt", "last-1.ckpt")]
        assert all(torch.load(name, weights_only=True)["global_step"] == 4 for name in names)
        {KILL}
    return replace(self, target)
Path.replace = _replace
"""


@pytest.mark.parametrize(
    "prelude",
    [
        pytest.param(IN_AN_ITERATION, id="in an iteration", marks=pytest.mark.slow),
        pytest.param(IN_A_WRITE, id="while a checkpoint is written"),
        pytest.param(BETWEEN_TWO_RENAMES, id="between two renames", marks=pytest.mark.slow),
        pytest.param(IN_VALIDATION, id="in validation", marks=pytest.mark.slow),
    ],
)
def test_killed_and_resumed_is_as_if_nothing_had_been(tmp_path: Path, photos: Path, prelude: str) -> None:
    settings = (*SETTINGS, f"data.val_dir={photos}")
    expected = whole(tmp_path, *settings)
    run_dir = tmp_path / "run"
    done = start(run_dir, prelude, *settings)
    assert done.returncode == -signal.SIGKILL, done.stderr
    train(compose_config(*small_gan(run_dir), *settings, "resume=auto"))
    assert same_state(last(run_dir), expected)
    assert (run_dir / "metrics.csv").read_text() == (tmp_path / "whole" / "metrics.csv").read_text()
    assert not list((run_dir / "checkpoints").glob(".*"))  # nothing half written is left


@pytest.mark.slow
def test_one_of_two_processes_killed_ends_the_other(tmp_path: Path, photos: Path) -> None:
    prelude = IN_AN_ITERATION.replace("== 4", "== 4 and self.trainer.global_rank == 1")
    done = start(tmp_path / "run", prelude, *ENDLESS, f"data.val_dir={photos}", "trainer.devices=2")
    assert done.returncode == 1, done.stderr
    assert "of this run has ended" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, photos: Path) -> None:
    """Files may grow to three quarters of a checkpoint from the third one on."""
    prelude = """
import resource
import sr.callbacks.checkpoints as module
save = module.Checkpoints._save
def _save(self, trainer, kind):
    if trainer.global_step == 3:
        size = (self.directory / "last.ckpt").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size * 3 // 4, size * 3 // 4))
    return save(self, trainer, kind)
module.Checkpoints._save = _save
"""
    settings = (*SETTINGS, f"data.val_dir={photos}")
    done = start(tmp_path / "run", prelude, *settings)
    assert done.returncode == 1, done.stderr
    assert f"error: {tmp_path}/run/checkpoints/.last.part: File too large" in done.stderr
    assert sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir()) == [
        "last-1.ckpt",
        "last.ckpt",
    ]
    assert last(tmp_path / "run")["global_step"] == 2
    train(compose_config(*small_gan(tmp_path / "run"), *settings, "resume=auto"))
    assert same_state(last(tmp_path / "run"), whole(tmp_path, *settings))
