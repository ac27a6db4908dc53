"""A loader that knows how long training waits for it, and what its workers need to be fast."""

from collections.abc import Iterator
from time import perf_counter
from typing import Any, TypeVar

import cv2
import numpy as np
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
    """Start of a loader process: one thread (torch sets its own, OpenCV does not), and memory that is kept.

    glibc hands every freed block of a megabyte or more back to the system, and each new array of that size is then
    faulted in page by page, which costs more than filling it. Once a block of just under 32 MB has been freed, smaller
    ones are kept (mallopt(3), M_MMAP_THRESHOLD).
    """
    cv2.setNumThreads(0)
    np.ones(30 << 20, np.uint8)
