"""The same work on many things, in several processes, with a bar that shows how far it is."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import cv2
from tqdm import tqdm

from sr.ops.processes import end_with_parent
from sr.ops.signals import KILL

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def in_processes(
    work: Callable[[Thing], Result],
    things: Sequence[Thing],
    *,
    workers: int,
    doing: str,
    unit: str = "image",
    together: int = 8,
) -> list[Result]:
    """The results of `work` in the order of `things`; an error of one of them ends all.

    Args:
        work: a function that another process can import.
        things: the argument of each call.
        workers: the number of processes.
        doing: the word beside the bar, as "checking".
        unit: the word for one of the things.
        together: the number of things that a process is handed at once.
    """
    with (
        ProcessPoolExecutor(workers, initializer=_prepare) as pool,
        tqdm(total=len(things), unit=unit, desc=doing, leave=False, disable=None) as bar,
    ):
        results = []
        try:
            for result in pool.map(work, things, chunksize=together):
                results.append(result)
                bar.update()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results


def _prepare() -> None:
    cv2.setNumThreads(1)
    end_with_parent(KILL)
