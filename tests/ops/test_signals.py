"""Which signals are heeded."""

import signal

import pytest

from sr.ops.signals import END_OF_RUN, END_OF_SWEEP, heeded


def test_ctrl_c_and_the_polite_kill_end_both() -> None:
    assert {signal.SIGINT, signal.SIGTERM} <= set(END_OF_RUN) & set(END_OF_SWEEP)


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no such signal")
def test_a_signal_that_is_ignored_is_not_heeded() -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        found = heeded(END_OF_RUN)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert signal.SIGUSR1 not in found
    assert found[signal.SIGTERM] == signal.getsignal(signal.SIGTERM)
    assert signal.SIGUSR1 in heeded(END_OF_RUN)
