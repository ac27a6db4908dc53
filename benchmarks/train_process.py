"""A training that is started as a user starts it, with a clock inside."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import lightning as L
import torch

ROOT = Path(__file__).parents[1]

Mark = dict[str, Any]


class Clock(L.Callback):
    """Writes marks, `[{"iteration", "seconds", "cpu_seconds"}]`, to a file, with the metrics of each validation.

    `seconds` is the wall-clock time since training started, without validation. `cpu_seconds` is the CPU time of the
    process. If there are several processes, only the first one writes.

    Args:
        file: the JSON file that is written when training ends.
        every: the number of iterations between two marks.
    """

    def __init__(self, *, file: str, every: int) -> None:
        self.file = Path(file)
        self.every = every
        self.marks: list[Mark] = []
        self.start = self.paused = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.start = now()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if trainer.global_step % self.every == 0:
            seconds = now() - self.start
            self.marks.append(
                {"iteration": trainer.global_step, "seconds": seconds, "cpu_seconds": process_time()}
            )

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.paused = now()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.sanity_checking:
            self.start += now() - self.paused
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
