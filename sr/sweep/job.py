"""One job of a sweep, in a process of its own, and its result."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, sleep
from types import FrameType
from typing import IO, Any

from sr.ops import exit_status
from sr.ops.metrics_csv import read_columns
from sr.ops.processes import starting_others
from sr.ops.signals import END_OF_SWEEP, KILL, heeded
from sr.ops.whole_file import replacing

log = logging.getLogger(__name__)

RECORD = "job.json"
ERRORS = "stderr.txt"
DONE, FAILED, PRUNED, STOPPED = "done", "failed", "pruned", "stopped"
COMMAND_LINE = ("command-line", "file")  # what Hydra calls the source that --config-dir adds
POLL = 0.5  # seconds between two checks of a job
PATIENCE = 120  # seconds that a job has to save and end
GRACE = 10  # seconds that its other processes have to end after its first one


@dataclass(frozen=True)
class Job:
    """The result of a job.

    Attributes:
        number: the number of the job in its sweep.
        overrides: the overrides of its configuration, as typed.
        status: one of DONE, FAILED, PRUNED, STOPPED.
        seconds: the time that it took.
        folder: its run directory.
    """

    number: int
    overrides: tuple[str, ...]
    status: str
    seconds: float
    folder: Path

    def metrics(self) -> dict[str, float]:
        """The last value of every metric that it logged."""
        return {name: values[-1][1] for name, values in read_columns(self.folder / "metrics.csv").items()}

    def reason(self) -> str:
        """The last error that it wrote, or the last line of a traceback."""
        file = self.folder / ERRORS
        lines = file.read_text(errors="replace").split("\n") if file.is_file() else []
        lines = [line.strip() for line in lines if line.strip()]
        errors = [line for line in lines if line.startswith("error: ")]
        return (errors or lines or ["it said nothing"])[-1].removeprefix("error: ")


def run_job(
    program: Sequence[str],
    *,
    number: int,
    overrides: Sequence[str],
    folder: Path,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    give_up: Callable[[], bool] | None = None,
) -> Job:
    """Run the program with these overrides and its directory, and leave a record in it.

    The job is a process of its own, because Lightning starts the other processes of a multi-device run by repeating
    the command line, which would start the sweep again, and leaves environment variables behind for the next job. It
    has a process group of its own, so that none of its processes outlives it. If this process is killed, the job is
    told to stop.

    Args:
        program: the words that start the program for training.
        options: the places where the job finds configurations, see `search_path`.
        environment: variables for the job, such as `sr.sweep.run_names.environment`; those that are set already stay.
        give_up: a function that is called every half second; the job ends when it returns True.

    Raises:
        KeyboardInterrupt: this process or the job was told to stop; the job has ended by then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECORD).unlink(missing_ok=True)
    start = monotonic()
    command = [*program, *options, *overrides, f'hydra.run.dir="{folder}"']
    with _passing_on_signals() as (told, listeners):
        with starting_others():
            process = subprocess.Popen(
                command,
                process_group=0,
                stderr=subprocess.PIPE,
                env={**(environment or {}), **os.environ},
            )
        listeners.append(process)
        if told:  # the signal came before the process existed
            process.terminate()
        assert process.stderr is not None
        copier = threading.Thread(target=_copy, args=(process.stderr, folder / ERRORS), daemon=True)
        copier.start()
        try:
            given_up = _wait(process, told, give_up)
        finally:
            _end_group(process)
            copier.join(GRACE)
    status = _status(process.returncode, told=bool(told), given_up=given_up)
    job = Job(number, tuple(overrides), status, round(monotonic() - start, 1), folder)
    _write(job)
    if status == FAILED:
        log.error("job %d (%s) ended with status %d", number, " ".join(overrides), process.returncode)
    if told or status == STOPPED:
        raise KeyboardInterrupt
    return job


def search_path(hydra: Any) -> list[str]:
    """The part of a command line that says where else configurations are: `--config-dir` and `hydra.searchpath`.

    Args:
        hydra: the node `hydra` of the composed configuration. The command line itself is not at hand where a launcher
            runs jobs elsewhere.
    """
    directories = [
        each.path for each in hydra.runtime.config_sources if (each.provider, each.schema) == COMMAND_LINE
    ]
    options = [word for directory in directories for word in ("--config-dir", directory)]
    return options + [each for each in hydra.overrides.hydra if each.startswith("hydra.searchpath=")]


def _status(returncode: int, *, told: bool, given_up: bool) -> str:
    if returncode == 0:
        return DONE
    if told:
        return STOPPED
    if given_up:
        return PRUNED
    return STOPPED if returncode == exit_status.STOPPED else FAILED


def _wait(process: subprocess.Popen[bytes], told: list[int], give_up: Callable[[], bool] | None) -> bool:
    """Wait until the job has ended, or PATIENCE seconds after it was told to; returns whether it was given up."""
    deadline = None
    given_up = False
    while deadline is None or monotonic() < deadline:
        try:
            process.wait(POLL)
            break
        except subprocess.TimeoutExpired:
            if deadline is None and not told and give_up is not None and give_up():
                given_up = True
                process.terminate()  # the first process of a run tells the others and their loaders
            if deadline is None and (told or given_up):
                deadline = monotonic() + PATIENCE
    return given_up


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the processes of the job that are left, after GRACE seconds if its first process has ended.

    Windows has no groups of processes, so only the first one is killed there.
    """
    if not hasattr(os, "killpg"):
        process.kill()
        process.wait()
        return
    deadline = monotonic() + (0 if process.poll() is None else GRACE)
    with suppress(ProcessLookupError):
        while monotonic() < deadline:
            os.killpg(process.pid, 0)
            sleep(0.05)
        os.killpg(process.pid, KILL)
    process.wait()


def _copy(errors: IO[bytes], file: Path) -> None:
    """Copy the standard error of a job to ours and to a file."""
    with file.open("ab") as kept:
        while chunk := os.read(errors.fileno(), 65536):
            kept.write(chunk)
            kept.flush()
            sys.stderr.write(chunk.decode(errors="replace"))
            sys.stderr.flush()


@contextmanager
def _passing_on_signals() -> Iterator[tuple[list[int], list[subprocess.Popen[bytes]]]]:
    """Pass signals on to the job, whose own process group receives no Ctrl-C. Yields the signals and the listeners."""
    told: list[int] = []
    listeners: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        told.append(number)
        for process in listeners:
            # Never SIGINT: while Python imports, it may arrive in a callback, where KeyboardInterrupt is ignored.
            process.terminate()

    before = heeded(END_OF_SWEEP)
    for number in before:
        signal.signal(number, pass_on)
    try:
        yield told, listeners
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write(job: Job) -> None:
    record = {key: value for key, value in asdict(job).items() if key != "folder"}
    with replacing(job.folder / RECORD) as file:
        file.write((json.dumps(record, indent=1) + "\n").encode())


def read_jobs(sweep: Path) -> list[Job]:
    """The jobs of a sweep that have ended, by number."""
    jobs = []
    for file in sweep.glob(f"*/{RECORD}"):
        record: dict[str, Any] = json.loads(file.read_text())
        jobs.append(Job(**record | {"overrides": tuple(record["overrides"])}, folder=file.parent))
    return sorted(jobs, key=lambda job: job.number)
