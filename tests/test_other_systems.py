"""Programs where the system lacks what Linux has: a whole run, its loader and an upscaled picture."""

import sys
from pathlib import Path

import pytest
from helpers import run_program
from small_runs import start

from sr.pictures.reading import read_header

# What Windows lacks, and macOS in part; in the loader processes too, which are spawned as on both. It is hidden after
# the libraries are imported, since they ask for the name of the system, which stays what it is.
HIDDEN = """
import enum, multiprocessing, os, pathlib
import cv2, lightning, torch
from lightning.pytorch.trainer.connectors import signal_connector
signal_connector._IS_WINDOWS = True  # it asks for SIGUSR1 elsewhere
sys.modules["fcntl"] = None
for name in ("sysconf", "killpg", "getuid", "sched_getaffinity", "fork", "setsid", "getpgid"):
    delattr(os, name)
for name in ("SIGUSR1", "SIGUSR2", "SIGHUP"):  # torch asks for SIGCHLD on Linux
    delattr(signal, name)
signal.Signals = enum.IntEnum("Signals", {each.name: int(each) for each in signal.Signals
    if each.name in ("SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM")})
signal.valid_signals = lambda: set(signal.Signals)
for name in ("is_file", "exists", "open"):
    def absent(self, *args, _real=getattr(pathlib.Path, name), _name=name, **kwargs):
        if str(self).startswith(("/proc", "/sys")):
            if _name == "open":
                raise FileNotFoundError(2, "hidden", str(self))
            return False
        return _real(self, *args, **kwargs)
    setattr(pathlib.Path, name, absent)
if multiprocessing.get_start_method(allow_none=True) is None:
    multiprocessing.set_start_method("spawn")
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    done = start(folder / "run", HIDDEN, "data.num_workers=1", "trainer.max_steps=4")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "has no locks of this kind" in done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_a_run_with_a_spawned_loader_trains(trained: Path) -> None:
    assert (trained / "run" / "checkpoints" / "last.ckpt").is_file()
    assert len((trained / "run" / "metrics.csv").read_text().splitlines()) > 1


@pytest.mark.slow
def test_pictures_are_upscaled(trained: Path, photos: Path) -> None:
    prelude = f"import signal, sys\n{HIDDEN}\nsys.argv[0] = 'sr-upscale'\n"
    code = f"{prelude}from sr.commands.upscale import main\nmain()"
    given = [str(photos), "--ckpt", str(trained / "run" / "checkpoints" / "last.ckpt")]
    done = run_program("-c", code, *given, "--out", str(trained / "large"))
    assert done.returncode == 0, done.stderr
    assert "done: 4 upscaled" in done.stdout
    assert read_header(trained / "large" / "a.png").width == 72 * 4


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux has")
def test_what_is_hidden_is_not_there() -> None:
    code = f"import signal, sys\n{HIDDEN}\nimport sr.ops.signals as s\nprint(*s.END_OF_RUN, *s.END_OF_SWEEP, s.KILL)"
    done = run_program("-c", code)
    assert done.stdout.split() == ["2", "15", "2", "15", "15"], done.stderr
