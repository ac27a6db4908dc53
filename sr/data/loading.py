"""A loader that knows how long training waits for it, and the start of its workers."""

import signal
from collections.abc import Iterator
from time import perf_counter
from typing import Any, TypeVar

import cv2
from torch.utils.data import DataLoader

T_co = TypeVar("T_co", covariant=True)


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
    """torch sets its own threads to one in a loader process, OpenCV does not.

    Signals to all processes of a run are for the training process, which ends its loaders when it has saved.
    """
    cv2.setNumThreads(0)
    for name in ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
