"""Processes that end with the one that started them, however that one ends."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sr.ops.private_torch import signal_at_death_of_parent

STARTED_BY = "SR_STARTED_BY"  # environment variable: the id of the process of ours that starts others


def end_with_parent(number: signal.Signals) -> None:
    """Have the kernel send this signal to this process when the one that started it ends, even by kill -9.

    Linux alone can do this; elsewhere nothing happens.
    """
    signal_at_death_of_parent(number)


def end_with_starter(number: signal.Signals) -> None:
    """The same in a process that one of ours has started; one that a shell or a scheduler has started lives on."""
    starter = os.environ.get(STARTED_BY)
    if starter == str(os.getppid()):
        end_with_parent(number)
    elif starter and sys.platform == "linux" and not os.path.exists(f"/proc/{starter}"):
        sys.exit("error: the process that has started this one has ended meanwhile")


@contextmanager
def starting_others() -> Iterator[None]:
    """What is started within knows by `end_with_starter` whose end is its own."""
    os.environ[STARTED_BY] = str(os.getpid())
    try:
        yield
    finally:
        os.environ.pop(STARTED_BY, None)
