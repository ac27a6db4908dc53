"""The processes that Lightning starts for a run, which are to end together."""

import atexit
import multiprocessing
import os
import subprocess
import sys
import threading
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

import lightning as L

from sr.ops.private_lightning import ScriptLauncher

# Seconds for the other processes to end, when the first one has failed: they may have the same error.
PATIENCE = 3
LAST_PATIENCE = 30  # seconds for the other processes to end, when the run is done
FIRST_PATIENCE = 5  # seconds for the first process to report its own error, when another one has failed


class EndTogether(L.Callback):
    """The first process on a machine ends the processes that it has started, and ends itself when one of them fails.

    Lightning's own observer would kill all of them as soon as one has failed: before the first one has reported why,
    and without ending its loader processes. Here its list of processes is emptied, so that it does nothing.
    """

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[Any]] = []

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self._take_over(trainer)

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """The same as in `setup`, for an exception that comes before it."""
        self._take_over(trainer)

    def check(self) -> None:
        """Wait for the other processes after the run. Raises RuntimeError if one of them has failed at its end."""
        deadline = monotonic() + LAST_PATIENCE
        for number, process in enumerate(self._started, start=1):
            with suppress(subprocess.TimeoutExpired):
                if status := process.wait(max(0, deadline - monotonic())):
                    raise RuntimeError(_what_happened(number, status))

    def _take_over(self, trainer: L.Trainer) -> None:
        launcher = trainer.strategy.launcher
        if self._started or not isinstance(launcher, ScriptLauncher):
            return
        observed, launcher.procs = launcher.procs, list(launcher.procs)
        observed.clear()
        self._started = launcher.procs
        atexit.register(self._end)
        for number, process in enumerate(self._started, start=1):
            threading.Thread(target=self._watch, args=(number, process), daemon=True).start()

    def _watch(self, number: int, process: subprocess.Popen[Any]) -> None:
        """Wait for one process, and end this one and all others if it fails.

        Where processes communicate through GPUs, no error tells the others that one has ended.
        """
        status = process.wait()
        if status == 0:
            return
        sleep(FIRST_PATIENCE)
        print(f"error: {_what_happened(number, status)}", file=sys.stderr, flush=True)
        self._kill()
        for child in multiprocessing.active_children():
            child.kill()
        os._exit(1)

    def _end(self) -> None:
        deadline = monotonic() + PATIENCE
        for process in self._started:
            try:
                process.wait(max(0, deadline - monotonic()))
            except subprocess.TimeoutExpired:
                break
        self._kill()

    def _kill(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()


def _what_happened(number: int, status: int) -> str:
    ended = f"process {number} of this run has ended with status {status}"
    return f"{ended}; its own message says why, unless it was killed"
