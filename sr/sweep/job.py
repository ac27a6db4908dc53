"""One job of a sweep, in a process of its own, and what is known of it afterwards."""

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from sr.ops.whole_file import replacing
from sr.sweep.metrics import read_columns

log = logging.getLogger(__name__)

RECORD = "job.json"
DONE, FAILED, PRUNED, STOPPED = "done", "failed", "pruned", "stopped"
SAVED = 75  # exit status of a run that was told to stop
POLL = 0.5  # seconds between two looks at a job that is watched
PATIENCE = 120  # seconds that a job has to save and end


@dataclass(frozen=True)
class Job:
    """What became of a job.

    Attributes:
        number: of the job in its sweep.
        overrides: of its configuration.
        status: one of DONE, FAILED, PRUNED, STOPPED.
        seconds: that it took.
        folder: its run directory.
    """

    number: int
    overrides: tuple[str, ...]
    status: str
    seconds: float
    folder: Path

    def metrics(self) -> dict[str, float]:
        """The last value of everything that it logged."""
        return {name: values[-1][1] for name, values in read_columns(self.folder / "metrics.csv").items()}


def run_job(
    program: Path,
    *,
    number: int,
    overrides: Sequence[str],
    folder: Path,
    give_up: Callable[[], bool] | None = None,
) -> Job:
    """Run the program with these overrides and its directory, and leave a record in it.

    Not in this process: Lightning starts the extra processes of a multi-device run by repeating the command line, which
    would start the sweep again, and leaves its environment variables behind for the next job.

    Args:
        program: train.py.
        give_up: is asked every half second whether the job is worth its time.

    Raises:
        KeyboardInterrupt: this process was told to stop; the job has ended by then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start = monotonic()
    command = [sys.executable, str(program), *overrides, f'hydra.run.dir="{folder}"']
    process = subprocess.Popen(command)
    with _passing_on_sigterm(process):
        try:
            pruned = _wait(process, give_up)
        except KeyboardInterrupt:  # in a terminal the job has heard of it too
            _end(process, politely=False)
            raise
    status = DONE if process.returncode == 0 else STOPPED if process.returncode == SAVED else FAILED
    status = PRUNED if pruned else status
    job = Job(number, tuple(overrides), status, round(monotonic() - start, 1), folder)
    _write(job)
    if status == FAILED:
        log.error("job %d (%s) ended with status %d", number, " ".join(overrides), process.returncode)
    if status == STOPPED:
        raise KeyboardInterrupt
    return job


def _wait(process: subprocess.Popen[bytes], give_up: Callable[[], bool] | None) -> bool:
    """Whether it was given up."""
    while True:
        try:
            process.wait(timeout=None if give_up is None else POLL)
            return False
        except subprocess.TimeoutExpired:
            if give_up is not None and give_up():
                _end(process, politely=True)
                return True


def _end(process: subprocess.Popen[bytes], *, politely: bool) -> None:
    """The first process of a run tells the others, and their loaders."""
    if politely:
        process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _passing_on_sigterm(process: subprocess.Popen[bytes]) -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write(job: Job) -> None:
    record = {key: value for key, value in asdict(job).items() if key != "folder"}
    with replacing(job.folder / RECORD) as file:
        file.write((json.dumps(record, indent=1) + "\n").encode())


def read_jobs(sweep: Path) -> list[Job]:
    """Those of a sweep that have ended, by number."""
    jobs = []
    for file in sweep.glob(f"*/{RECORD}"):
        record: dict[str, Any] = json.loads(file.read_text())
        jobs.append(Job(**record | {"overrides": tuple(record["overrides"])}, folder=file.parent))
    return sorted(jobs, key=lambda job: job.number)
