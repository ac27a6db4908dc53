"""A training that is started as a user starts it, with a clock inside."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from queue import Queue
from time import perf_counter, process_time
from typing import Any, TypeVar

import lightning as L
import torch

ROOT = Path(__file__).parents[1]

Mark = dict[str, Any]
Name = TypeVar("Name", bound=Hashable)


class Clock(L.Callback):
    """Writes marks, `[{"iteration", "seconds", "cpu_seconds"}]`, to a file, with the metrics of each validation.

    `seconds` is the wall-clock time since training started, without validation, and `cpu_seconds` the CPU time of the
    process, counted in the same way. If there are several processes, only the first one writes.

    Args:
        file: the JSON file that is written when training ends.
        every: the number of iterations between two marks.
    """

    def __init__(self, *, file: str, every: int) -> None:
        self.file = Path(file)
        self.every = every
        self.marks: list[Mark] = []
        self.iteration = 0
        self.start = self.paused = self.cpu_start = self.cpu_paused = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.start, self.cpu_start = now(), process_time()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.iteration += 1  # and not trainer.global_step, which counts the updates of G and of D
        if self.iteration % self.every == 0:
            self.marks.append(
                {
                    "iteration": self.iteration,
                    "seconds": now() - self.start,
                    "cpu_seconds": process_time() - self.cpu_start,
                }
            )

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.paused, self.cpu_paused = now(), process_time()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.sanity_checking:
            self.start += now() - self.paused
            self.cpu_start += process_time() - self.cpu_paused
            self.marks[-1] |= {name: float(value) for name, value in trainer.callback_metrics.items()}

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.is_global_zero:
            self.file.write_text(json.dumps(self.marks))


class CpuLimit(L.Callback):
    """Ends training when the process has used so much CPU time since it began.

    Args:
        minutes: the CPU time.
    """

    def __init__(self, *, minutes: float) -> None:
        self.minutes = minutes
        self.start = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.start = process_time()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if process_time() - self.start >= 60 * self.minutes:
            trainer.should_stop = True


def now() -> float:
    """Wall-clock time in seconds, after all work of the GPU has ended."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return perf_counter()


class Training:
    """`python train.py *overrides` in a process of its own, which starts at once.

    The run directory is temporary: `marks` deletes it.

    Args:
        overrides: the overrides on the command line.
        every: the number of iterations between two marks.
        core: the core that the process is pinned to; None leaves it free.
    """

    def __init__(self, overrides: Sequence[str], *, every: int, core: int | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self._marks = folder / "marks.json"
        self._output = (folder / "output").open("w+")
        command = [
            sys.executable,
            str(ROOT / "train.py"),
            *overrides,
            "logger=csv",
            "callbacks.samples.count=0",
            "+callbacks.clock._target_=train_process.Clock",
            f"+callbacks.clock.file={self._marks}",
            f"+callbacks.clock.every={every}",
            f"hydra.run.dir={folder / 'run'}",
        ]
        paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        }
        if core is not None:
            command = ["taskset", "--cpu-list", str(core), *command]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=self._output, stderr=subprocess.STDOUT
        )

    def marks(self) -> list[Mark]:
        """Wait for the end of the training and return its marks.

        Raises:
            RuntimeError: the training failed. The message is the end of its output.
        """
        with self._folder, self._output:
            if self._process.wait():
                self._output.seek(0)
                raise RuntimeError(self._output.read()[-3000:])
            marks: list[Mark] = json.loads(self._marks.read_text())
        return marks


def side_by_side(
    commands: Mapping[Name, Sequence[str]], *, every: int, jobs: int
) -> Iterator[tuple[Name, list[Mark]]]:
    """Train with the overrides of each name, `jobs` at a time and each on a core of its own: its marks, in order."""
    available = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    cores: Queue[int] = Queue()
    for _, core in zip(range(jobs), cycle(available), strict=False):
        cores.put(core)

    def train(overrides: Sequence[str]) -> list[Mark]:
        core = cores.get()
        try:
            return Training(overrides, every=every, core=core).marks()
        finally:
            cores.put(core)

    with ThreadPoolExecutor(jobs) as pool:
        yield from zip(commands, pool.map(train, commands.values()), strict=True)
