"""A second program in the directory of one that runs says so and ends, and changes nothing there."""

import os
from pathlib import Path

from helpers import run_here, small_gan
from processes import finished, running, wait_until
from small_runs import SETTINGS, arguments, command

from sr.ops.file_lock import alone_in

# In its fifth iteration the run waits, after it has told so, until it may go on.
WAITING = """
import threading
from pathlib import Path
from sr.training.base import SRModule
step = SRModule._step
def waiting(self, stepping, **how):
    if self.global_step == 4:
        Path({folder!r}, "waits").touch()
        while not Path({folder!r}, "go").exists():
            threading.Event().wait(0.05)
    step(self, stepping, **how)
SRModule._step = waiting
"""


def files(folder: Path) -> dict[str, bytes]:
    """But for what Hydra writes before a program of its own begins."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".log" and ".hydra" not in path.parts
    }


def test_a_second_run_is_refused_and_the_first_goes_on(tmp_path: Path, photos: Path) -> None:
    run_dir, settings = tmp_path / "run", (*SETTINGS, f"data.val_dir={photos}")
    run_dir.mkdir()
    (run_dir / ".metrics.csv.0-1.part").write_text("of a run that was killed")
    with running(command(run_dir, WAITING.format(folder=str(tmp_path)), *settings)) as first:
        wait_until((tmp_path / "waits").exists, first)
        before = files(run_dir)
        for more in ((), ("resume=auto",)):
            second = run_here("train.py", *arguments(run_dir, *settings, *more))
            assert second.returncode == 1
            assert f"error: hydra.run.dir={run_dir} is in use by process {first.pid} on " in second.stderr
            assert "Traceback" not in second.stderr
        assert files(run_dir) == before
        (tmp_path / "go").touch()
        done = finished(first)
    assert done.returncode == 0, done.stderr
    assert "trained 8 iterations" in done.stdout
    assert not list(run_dir.glob(".*.part"))
    assert not (run_dir / ".in-use").exists()


def test_a_second_sweep_is_refused(tmp_path: Path, photos: Path) -> None:
    sweep = tmp_path / "sweep"
    (sweep / "0").mkdir(parents=True)
    (sweep / "0" / "job.json").write_text("of the first sweep")
    small = [each for each in small_gan(tmp_path) if not each.startswith("run_dir")]
    with alone_in(sweep, key="hydra.sweep.dir"):
        settings = [*small, f"data.val_dir={photos}", f"hydra.sweep.dir={sweep}", "seed=0,1"]
        done = run_here("train.py", "-m", *settings)
    assert done.returncode == 1
    assert f"error: hydra.sweep.dir={sweep} is in use by process {os.getpid()} on " in done.stderr
    assert "Traceback" not in done.stderr
    assert (sweep / "0" / "job.json").read_text() == "of the first sweep"
