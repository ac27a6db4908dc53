"""A signal saves a run, which goes on later as if nothing had been."""

import csv
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import same_state
from processes import finished, running, wait_until
from small_runs import ENDLESS, command, finish, has_rows, last


def interrupted(
    run_dir: Path, send: Callable[[subprocess.Popen[str]], object], *settings: str
) -> subprocess.CompletedProcess[str]:
    """A run without end that is sent something after four rows of metrics."""
    with running(command(run_dir, "", *settings)) as process:
        wait_until(lambda: has_rows(run_dir, 4), process)
        send(process)
        return finished(process)


@pytest.mark.parametrize(
    ("name", "processes"),
    [
        ("SIGTERM", 1),
        pytest.param("SIGINT", 1, marks=pytest.mark.slow),
        pytest.param("SIGUSR1", 1, marks=pytest.mark.slow),
        pytest.param("SIGTERM", 2, marks=pytest.mark.slow),
    ],
)
@pytest.mark.usefixtures("heeding_ctrl_c")
def test_a_signal_saves_and_stops_with_a_status_of_its_own(
    tmp_path: Path, photos: Path, name: str, processes: int
) -> None:
    """Sent to the first process alone; the checkpoint is that of the very iteration."""
    settings = (*ENDLESS, f"data.val_dir={photos}", f"trainer.devices={processes}", "data.num_workers=1")
    done = interrupted(
        tmp_path / "run", lambda process: process.send_signal(getattr(signal, name)), *settings
    )
    assert done.returncode == 75, done.stderr
    assert f"{name}: stops when this iteration is saved" in done.stdout
    reached = last(tmp_path / "run")["global_step"]
    assert f"stopped after {reached} iterations, everything is saved: resume=auto goes on" in done.stdout
    settings = (*settings, f"trainer.max_steps={reached + 3}")
    finish(tmp_path / "run", processes, *settings, "resume=auto")
    finish(tmp_path / "whole", processes, *settings)
    assert same_state(last(tmp_path / "run"), last(tmp_path / "whole"), sums=processes == 1)
    assert losses(tmp_path / "run") == pytest.approx(losses(tmp_path / "whole"), rel=1e-6 * (processes - 1))


def losses(run_dir: Path) -> list[float]:
    with (run_dir / "metrics.csv").open(newline="") as file:
        return [float(row["train/loss_g"]) for row in csv.DictReader(file) if row["train/loss_g"]]


@pytest.mark.slow
def test_a_signal_to_the_whole_group_does_not_kill_the_loaders_first(tmp_path: Path, photos: Path) -> None:
    """As Ctrl-C in a terminal and SLURM send it."""
    settings = (*ENDLESS, f"data.val_dir={photos}", "data.num_workers=2")
    done = interrupted(tmp_path / "run", lambda process: os.killpg(process.pid, signal.SIGTERM), *settings)
    assert done.returncode == 75, done.stderr
