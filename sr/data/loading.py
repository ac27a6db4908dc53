"""A loader that knows how long training waits for it, and the start and the end of its workers."""

import atexit
import multiprocessing
import signal
import threading
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any, TypeVar

import cv2
from torch.utils.data import DataLoader

from sr.ops.private_torch import WorkersIterator, processes_of, shut_down, stop_watching, workers_of
from sr.ops.processes import end_with_parent
from sr.ops.signals import END_OF_RUN, KILL

T_co = TypeVar("T_co", covariant=True)
PATIENCE = 2.0  # seconds that workers have to finish their sample


class TimedLoader(DataLoader[T_co]):
    """A DataLoader whose `last_wait` is the time in seconds that `next` took for the batch handed out last.

    With workers that is the time for which the training process had nothing to work on; without, the loading itself.
    """

    last_wait: float = 0.0

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        # The workers start here and not with the first `next`, so that they fill up while training sets up.
        return self._timed(super().__iter__())

    def _timed(self, batches: Iterator[Any]) -> Iterator[Any]:
        while True:
            began = perf_counter()
            try:
                batch = next(batches)
            except StopIteration:
                return
            self.last_wait = perf_counter() - began
            yield batch


def prepare_worker(worker: int) -> None:
    """Set up a loader process: one thread for OpenCV, as torch sets for itself, and signals ignored.

    A signal that is sent to all processes of a run is for the training process, which saves and then ends its loaders.
    """
    cv2.setNumThreads(0)
    end_with_parent(KILL)
    for number in END_OF_RUN:
        signal.signal(number, signal.SIG_IGN)


def end_workers(loaders: Sequence[DataLoader[Any]]) -> None:
    """End the persistent workers of these loaders within `PATIENCE` seconds, whatever they are doing."""
    running = [workers for loader in loaders if (workers := workers_of(loader)) is not None]
    for workers in running:
        stop_watching(workers)
    # In a thread, because torch waits without a limit when a worker was killed while it held a lock.
    polite = threading.Thread(target=_shut_down, args=(running,), daemon=True)
    polite.start()
    polite.join(PATIENCE)
    for workers in running:
        for process in processes_of(workers):
            process.kill()


def _shut_down(running: Sequence[WorkersIterator]) -> None:
    for workers in running:
        shut_down(workers)


def _kill_workers() -> None:
    """Kill what is left at exit. Multiprocessing would send a signal that workers ignore, and wait without a limit."""
    left = [process for process in multiprocessing.active_children() if process.daemon]
    if left and hasattr(signal, "SIGCHLD"):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # otherwise torch would report their end as a failure
    for process in left:
        process.kill()


atexit.register(_kill_workers)  # registered after torch's own function, so it runs before that
