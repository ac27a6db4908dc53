"""OpenVINO's runtime, one for the whole process, which leaves the stack of signal handlers as it was.

Every `openvino.Core` that has loaded the plugin for CPUs puts a signal stack of its own in the place of that which was
there, and puts back what it had found when it goes. Where two go in the order in which they came, the second puts back
the freed stack of the first, and the next signal with a handler, such as that of torch for the end of a loader process,
ends the program by a segmentation fault (seen with OpenVINO 2026.4).
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


class _Stack(ctypes.Structure):
    """`stack_t` of Linux."""

    _fields_ = (("sp", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@cache
def openvino_core() -> Any:
    """The `openvino.Core` of this process, with the plugin for CPUs loaded.

    Raises:
        ImportError: OpenVINO is missing.
    """
    import openvino

    with kept_signal_stack():
        core = openvino.Core()
        core.get_property("CPU", "FULL_DEVICE_NAME")  # loads the plugin
    return core


@contextmanager
def kept_signal_stack() -> Iterator[None]:
    """Put the signal stack of this thread back in the end, for calls that make cores of their own.

    A core that goes later finds another stack than its own, and then puts nothing back.
    """
    if sys.platform != "linux":  # there alone OpenVINO does it
        yield
        return
    before = signal_stack()
    try:
        yield
    finally:
        _sigaltstack(before, None)


def signal_stack() -> _Stack:
    """The stack on which this thread runs its signal handlers. Linux only."""
    found = _Stack()
    _sigaltstack(None, found)
    return found


def _sigaltstack(new: _Stack | None, old: _Stack | None) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    pointers = [None if each is None else ctypes.byref(each) for each in (new, old)]
    if libc.sigaltstack(*pointers):
        number = ctypes.get_errno()
        raise OSError(number, "sigaltstack")
