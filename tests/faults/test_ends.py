"""A run that has failed ends by itself: with its message, within ten seconds, and nothing of it lives on."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import WITHOUT_CURVES
from processes import finished, running, wait_until, wait_until_gone
from small_runs import command

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SECONDS = 10  # from the error to the end
SETTINGS = ("trainer.max_steps=6", "callbacks.checkpoints.every_n_iterations=1")
# In the process of this rank `fail()` notes the moment and raises what is told to the user as it is.
FAULT = """
from pathlib import Path
from lightning.fabric.utilities.exceptions import MisconfigurationException
from sr.training.base import SRModule
def fail():
    Path({moment!r}).touch()
    raise MisconfigurationException("the fault of this test")
"""
IN_VALIDATION = """
validation_step = SRModule.validation_step
def failing(self, batch, batch_idx):
    if self.trainer.sanity_checking == {sanity} and self.trainer.global_rank == {rank}:
        fail()
    return validation_step(self, batch, batch_idx)
SRModule.validation_step = failing
"""
PHASES = {
    "sanity check": IN_VALIDATION.replace("{sanity}", "True"),
    "training": """
step = SRModule._step
def failing(self, stepping, **how):
    if self.trainer.global_step == 4 and self.trainer.global_rank == {rank}:
        fail()
    step(self, stepping, **how)
SRModule._step = failing
""",
    "validation": IN_VALIDATION.replace("{sanity}", "False"),
    "checkpoint": """
from sr.callbacks.checkpoints import Checkpoints
save = Checkpoints._save
def failing(self, trainer, kind):
    if trainer.global_step == 2 and trainer.global_rank == {rank}:
        fail()
    return save(self, trainer, kind)
Checkpoints._save = failing
""",
    "end": """
def failing(self):
    if self.trainer.global_rank == {rank}:
        fail()
SRModule.on_train_end = failing
""",
    "after the end": """
def failing(self):
    if self.trainer.global_rank == {rank}:
        fail()
SRModule.on_fit_end = failing
""",
}
# (phase, workers, processes, rank that fails) of `make test`; all others are slow.
QUICK = {("validation", 1, 1, 0)}


def cases() -> list[object]:
    every = [
        (phase, workers, processes, rank)
        for phase in PHASES
        for workers in (0, 1, 2)
        for processes in (1, 2)
        for rank in range(processes)
    ]
    return [pytest.param(*case, marks=[pytest.mark.slow] * (case not in QUICK)) for case in every]


def until_ended(command: list[str], moment: Path) -> subprocess.CompletedProcess[str]:
    """Run a program that fails at a moment at which it makes a file, and see it end in time with all that it started.

    On a busy machine everything takes its time, so the end may take as long as the way from the start to the error.
    """
    began = time.monotonic()
    drawing = [word for word in command if word != WITHOUT_CURVES]  # the thread that draws has to end too
    with running(drawing) as process:
        wait_until(moment.exists, process)
        wait_until_gone(process, limit=max(SECONDS, time.monotonic() - began))
        return finished(process)


@pytest.mark.parametrize(("phase", "workers", "processes", "rank"), cases())
def test_an_error_ends_the_run(
    tmp_path: Path, photos: Path, phase: str, workers: int, processes: int, rank: int
) -> None:
    moment = tmp_path / "moment"
    prelude = FAULT.format(moment=str(moment)) + PHASES[phase].format(rank=rank)
    settings = (*SETTINGS, f"data.val_dir={photos}", f"data.num_workers={workers}")
    done = until_ended(command(tmp_path / "run", prelude, *settings, f"trainer.devices={processes}"), moment)
    assert done.returncode == 1, done.stderr
    assert "error: the fault of this test" in done.stderr
    assert "Traceback" not in done.stderr


# A worker is killed, as the system does where memory runs out, and the process that waits for it stands still.
KILLED = """
import os, signal, time
from pathlib import Path
from sr.training.base import SRModule
def kill(loader):
    Path({moment!r}).touch()
    os.kill(loader._iterator._workers[0].pid, signal.SIGKILL)
    time.sleep(600)
step, validation_step = SRModule._step, SRModule.validation_step
def in_training(self, stepping, **how):
    if {phase!r} == "training" and self.global_step == 4:
        kill(self.trainer.{loader})
    step(self, stepping, **how)
def in_validation(self, batch, batch_idx):
    if {phase!r} == "validation" and not self.trainer.sanity_checking:
        kill(self.trainer.{loader})
    return validation_step(self, batch, batch_idx)
SRModule._step, SRModule.validation_step = in_training, in_validation
"""


@pytest.mark.parametrize(
    ("phase", "loader"),
    [
        ("training", "train_dataloader"),
        pytest.param("validation", "val_dataloaders", marks=pytest.mark.slow),
        pytest.param("training", "val_dataloaders", marks=pytest.mark.slow),
        pytest.param("validation", "train_dataloader", marks=pytest.mark.slow),
    ],
)
def test_a_killed_worker_ends_the_run(tmp_path: Path, photos: Path, phase: str, loader: str) -> None:
    moment = tmp_path / "moment"
    prelude = KILLED.format(moment=str(moment), phase=phase, loader=loader)
    settings = (*SETTINGS, f"data.val_dir={photos}", "data.num_workers=1")
    done = until_ended(command(tmp_path / "run", prelude, *settings), moment)
    assert done.returncode == 1, done.stderr
    assert "error: a loader process was killed (DataLoader worker (pid" in done.stderr
    # A thread of multiprocessing, with which it was talking, may print a traceback of its own.
    assert 'train.py", line' not in done.stderr


TRUNCATED = """
from pathlib import Path
from sr.callbacks.stop import StopSignals
def truncate(self, trainer, pl_module):
    file = Path({file!r})
    file.write_bytes(file.read_bytes()[:1000])
StopSignals.on_sanity_check_end = truncate
"""


@pytest.mark.slow
def test_a_validation_image_that_is_truncated_meanwhile_ends_the_run(tmp_path: Path, photos: Path) -> None:
    prelude = TRUNCATED.format(file=str(photos / "a.png"))
    settings = (*SETTINGS, f"data.val_dir={photos}", "data.num_workers=1")
    with running(command(tmp_path / "run", prelude, *settings)) as process:
        done = finished(process)
    assert done.returncode == 1, done.stderr
    assert f"error: {photos / 'a.png'}: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_killed_run_takes_its_processes_with_it(tmp_path: Path, photos: Path, processes: int) -> None:
    """Its loaders ignore every polite signal, and other processes of the run would wait for it."""
    moment = tmp_path / "moment"
    prelude = FAULT.format(moment=str(moment)) + PHASES["training"].format(rank=0)
    prelude = prelude.replace("raise Misconf", "os.kill(os.getpid(), signal.SIGKILL)\n    raise Misconf")
    settings = (*SETTINGS, f"data.val_dir={photos}", "data.num_workers=2", f"trainer.devices={processes}")
    done = until_ended(command(tmp_path / "run", prelude, *settings), moment)
    assert done.returncode == -signal.SIGKILL
