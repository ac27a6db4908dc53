"""Whether training waits for its data."""

import logging
import math
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import lightning as L
from lightning.pytorch.utilities import rank_zero_only
from tqdm import tqdm

from sr.ops.cores import usable_cores

log = logging.getLogger(__name__)

WARM_UP = 20  # iterations at the start that do not count: workers start, compilers and allocators settle
WINDOW = 180  # the number of iterations that the message is about
FEWEST = 10  # the smallest number of iterations that a message is written for
ACCEPTABLE = 0.05  # the share of the time spent waiting above which the message gives advice


@dataclass
class WaitTimes:
    """The times of some iterations.

    Attributes:
        iterations: the number of iterations.
        trained: the seconds spent in training steps.
        waited: the seconds spent waiting for data.
        waited_first: the part of `waited` that was spent on the first batches of epochs.
    """

    iterations: int = 0
    trained: float = 0.0
    waited: float = 0.0
    waited_first: float = 0.0

    def add(self, *, trained: float, waited: float, first: bool) -> None:
        self.iterations += 1
        self.trained += trained
        self.waited += waited
        self.waited_first += waited * first

    @property
    def share(self) -> float:
        return self.waited / (self.waited + self.trained)


class DataWait(L.Callback):
    """Reports once which share of the time training waits for data and, if it is large, what to change.

    The share is also logged as `train/data_wait`, a fraction, over the iterations since the last log. Validation,
    checkpoints and everything else between two iterations count neither as waiting nor as training. With several
    processes, which load alike, the first one reports. It needs a loader with `last_wait` (`sr.data.loading`), and is
    silent with others.
    """

    def __init__(self) -> None:
        self._restart()

    def _restart(self) -> None:
        self._seen = 0
        self._began = 0.0
        self._window = WaitTimes()
        self._recent = WaitTimes()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._restart()

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._began = perf_counter()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # Work that a GPU has not finished yet counts in the next step, which waits for it.
        trained = perf_counter() - self._began
        waited = getattr(trainer.train_dataloader, "last_wait", None)
        self._seen += 1
        if waited is None or self._seen <= WARM_UP:
            return
        self._recent.add(trained=trained, waited=waited, first=batch_idx == 0)
        if trainer.global_step % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            pl_module.log("train/data_wait", self._recent.share)
            self._recent = WaitTimes()
        if self._window.iterations < WINDOW:
            self._window.add(trained=trained, waited=waited, first=batch_idx == 0)
            if self._window.iterations == WINDOW:
                self._say(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if FEWEST <= self._window.iterations < WINDOW:
            self._say(trainer)

    @rank_zero_only
    def _say(self, trainer: L.Trainer) -> None:
        window = self._window
        last = trainer.global_step
        message = (
            f"{100 * window.share:.1f} % of the training time went into waiting for data"
            f" (iterations {last - window.iterations + 1} to {last})"
        )
        with tqdm.external_write_mode():  # the line goes above the progress bar, not into it
            if window.share > ACCEPTABLE:
                log.warning("%s: %s", message, self._remedy(trainer))
            else:
                log.info(message)

    def _remedy(self, trainer: L.Trainer) -> str:
        loader: Any = trainer.train_dataloader
        workers = loader.num_workers
        if workers and self._window.waited_first > self._window.waited / 2:
            return (
                "mostly for the first batch of an epoch, when the workers have nothing ready. Set"
                f" data.iterations_per_epoch above {trainer.num_training_batches}"
            )
        datamodule: Any = trainer.datamodule  # type: ignore[attr-defined]
        return remedy(
            share=self._window.share,
            workers=workers,
            cores=usable_cores(),
            processes=trainer.num_devices,
            decodes=getattr(datamodule, "cache", None) == "none",
        )


def remedy(*, share: float, workers: int, cores: int, processes: int, decodes: bool) -> str:
    """Advice on what to change, as part of a sentence.

    Args:
        share: the share of the time spent waiting for data, below 1.
        workers: the number of loader processes of each training process.
        cores: the number of CPU cores of this machine.
        processes: the number of training processes that share the cores.
        decodes: whether every sample decodes a whole image file, to use a small part of it.
    """
    # Loading the samples of one second of training takes workers / (1 - share) seconds of one worker. Without workers
    # the time spent waiting is the time spent loading.
    needed = math.ceil((workers or share) / (1 - share))
    most = max(1, cores // processes)
    machine = f"{cores} core(s)" + (f" for {processes} processes" if processes > 1 else "")
    caching = "data.cache=disk (or ram), which decodes an image only once"
    if workers < most:
        more = f"raise data.num_workers from {workers} to {min(needed, most)} (this machine has {machine})"
        return f"set {caching}, or {more}" if decodes else more
    cheaper = ["a smaller data.hr_patch_size", "a cheaper degradation"]
    return (
        f"data.num_workers={workers} keeps this machine's {machine} busy, so make a sample cheaper to load: "
        + ", ".join([caching, *cheaper] if decodes else cheaper)
    )
