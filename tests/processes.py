"""Programs that tests start: with a limit of time that holds, and of which nothing is left afterwards."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[1]
LIMIT = 240  # seconds, several times what the slowest program takes on a busy machine


@contextmanager
def running(
    command: Sequence[str], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A program in a session of its own, with everything that it starts; what is left of that at the end is killed."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**(os.environ if env is None else env), "PYTHONFAULTHANDLER": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill_session(process)
        process.communicate()


def finished(process: subprocess.Popen[str], *, limit: float = LIMIT) -> subprocess.CompletedProcess[str]:
    """What a running program says until it has ended; an error, with what it has said, when the limit is over."""
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        give_up(process, f"still running after {limit} s")
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def wait_until(there: Callable[[], bool], process: subprocess.Popen[str], *, limit: float = LIMIT) -> None:
    """Until something is there that the program makes; an error if the program ends before."""
    deadline = time.monotonic() + limit
    while not there():
        if process.poll() is not None:
            out, err = process.communicate()
            raise AssertionError(
                f"ended with status {process.returncode} before it was awaited\n{out}\n{err}"
            )
        if time.monotonic() > deadline:
            give_up(process, f"nothing has come in {limit} s")
        time.sleep(0.01)


def alive_in_session(session: int) -> list[int]:
    """The processes that a program has started and that run still, itself included. Linux only."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # of a process that ended meanwhile
            state, _, _, its_session = file.read_text().rpartition(")")[2].split()[:4]
            if int(its_session) == session and state not in "ZX":
                found.append(int(file.parent.name))
    return found


def wait_until_gone(process: subprocess.Popen[str], *, limit: float = LIMIT) -> None:
    """Until a program has ended with everything that it had started; an error when the limit is over."""
    deadline = time.monotonic() + limit
    while left := alive_in_session(process.pid):
        if time.monotonic() > deadline:
            give_up(process, f"{len(left)} processes are left after {limit} s")
        time.sleep(0.01)


def give_up(process: subprocess.Popen[str], why: str) -> NoReturn:
    """Fail, with what the program has said and where each of its processes stands."""
    kill_session(process, signal.SIGABRT)  # upon which Python shows its threads
    try:
        out, err = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        kill_session(process)
        out, err = process.communicate()
    raise AssertionError(f"{why}\n{out}\n{err}")


def kill_session(process: subprocess.Popen[str], number: signal.Signals = signal.SIGKILL) -> None:
    if sys.platform != "linux":
        if process.poll() is None:
            os.killpg(process.pid, number)
        return
    while left := alive_in_session(process.pid):
        for each in left:
            with suppress(ProcessLookupError):
                os.kill(each, number)
        if number != signal.SIGKILL:
            break  # they take their time
