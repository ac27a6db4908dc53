"""A worker of the check that is killed, as the system does where memory runs out, and a check that is."""

import sys
from pathlib import Path

from helpers import ROOT
from processes import finished, running, wait_until

PROGRAM = """
import os, signal, sys
from sr.commands.check import main
from sr.programs import check as program
examine = program.examine
def killed(path, **settings):
    if path.name == "b.png":
        os.kill(os.getpid(), signal.SIGKILL)
    return examine(path, **settings)
program.examine = killed
main()
"""

WAITING = """
import os, time
from pathlib import Path
from sr.commands.check import main
from sr.programs import check as program
def waiting(path, **settings):
    (Path({folder!r}) / f"{{os.getpid()}}.started").touch()
    time.sleep(600)
program.examine = waiting
main()
"""


def test_workers_end_with_a_killed_check(photos: Path, tmp_path: Path) -> None:
    prelude = WAITING.format(folder=str(tmp_path))
    with running([sys.executable, "-c", prelude, str(photos), "--workers", "2"], cwd=ROOT) as process:
        wait_until(lambda: any(tmp_path.glob("*.started")), process)
        process.kill()
        finished(process)  # which waits for its workers too, since they hold its pipes


def test_a_killed_worker_ends_the_check(photos: Path) -> None:
    with running([sys.executable, "-c", PROGRAM, str(photos), "--workers", "2"], cwd=ROOT) as process:
        done = finished(process)  # which waits for its other workers too, since they hold its pipes
    assert done.returncode == 1
    assert (
        "error: a process was killed that was at work for this one, perhaps for want of memory" in done.stderr
    )
    assert "Traceback" not in done.stderr
