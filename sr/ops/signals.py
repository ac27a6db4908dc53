"""The signals that end a run or a sweep."""

import signal
from collections.abc import Callable, Sequence
from types import FrameType

Handler = Callable[[int, FrameType | None], object] | int | None


def _known(*names: str) -> tuple[signal.Signals, ...]:
    """Those that the operating system has."""
    return tuple(signal.Signals[name] for name in names if name in signal.Signals.__members__)


# Ctrl-C, the polite kill, and what SLURM and submitit send ahead of a preemption.
END_OF_RUN = _known("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2")
# Ctrl-C, the polite kill, and the end of the terminal.
END_OF_SWEEP = _known("SIGINT", "SIGTERM", "SIGHUP")


# The end that a process cannot refuse; Windows has one end for all.
KILL = _known("SIGKILL", "SIGTERM")[0]


def heeded(signals: Sequence[signal.Signals]) -> dict[signal.Signals, Handler]:
    """Signal -> its handler, without the signals that this process was started to ignore.

    A shell has the programs in its background ignore Ctrl-C.
    """
    handlers = {number: signal.getsignal(number) for number in signals}
    return {number: handler for number, handler in handlers.items() if handler is not signal.SIG_IGN}
