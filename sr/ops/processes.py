"""Processes that end with the process that started them, however that one ends."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sr.ops.private_torch import signal_at_death_of_parent

STARTED_BY = "SR_STARTED_BY"  # environment variable with the id of our process that starts others


def end_with_parent(number: signal.Signals) -> None:
    """Ask the kernel to send this signal to this process when its parent ends, even by kill -9.

    Only Linux can do this; elsewhere nothing happens.
    """
    signal_at_death_of_parent(number)


def end_with_starter(number: signal.Signals) -> None:
    """The same, but only in a process that one of ours has started; a shell or a scheduler may end before its jobs."""
    starter = os.environ.get(STARTED_BY)
    if starter == str(os.getppid()):
        end_with_parent(number)
    elif starter and sys.platform == "linux" and not os.path.exists(f"/proc/{starter}"):
        sys.exit("error: the process that has started this one has ended meanwhile")


@contextmanager
def starting_others() -> Iterator[None]:
    """Processes that are started inside this block can end with this one by `end_with_starter`."""
    os.environ[STARTED_BY] = str(os.getpid())
    try:
        yield
    finally:
        os.environ.pop(STARTED_BY, None)
