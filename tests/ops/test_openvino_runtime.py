"""Signals after OpenVINO: cores that go in the order in which they came must not leave a freed stack behind."""

import re
import sys

import pytest
from helpers import run_program
from processes import ROOT

from sr.ops.openvino_runtime import kept_signal_stack, openvino_core, signal_stack

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there alone OpenVINO sets a signal stack")

TWO_CORES = """
import faulthandler, os, signal
import openvino
from sr.ops.openvino_runtime import kept_signal_stack
faulthandler.enable()  # with a stack of its own, as pytest and many programs have it
signal.signal(signal.SIGUSR1, lambda *_: print("heard"))
def loaded():
    with kept_signal_stack():
        core = openvino.Core()
        core.get_property("CPU", "FULL_DEVICE_NAME")
    return core
first, second = loaded(), loaded()
del first
del second
os.kill(os.getpid(), signal.SIGUSR1)
"""


def test_a_signal_is_heard_after_two_cores_have_gone() -> None:
    """Without `kept_signal_stack` this program ends by a segmentation fault."""
    pytest.importorskip("openvino")
    done = run_program("-c", TWO_CORES)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr


def test_a_stack_that_was_changed_is_put_back() -> None:
    pytest.importorskip("openvino")
    import openvino

    before = signal_stack()
    with kept_signal_stack():
        core = openvino.Core()
        core.get_property("CPU", "FULL_DEVICE_NAME")
        assert signal_stack().sp != before.sp
    assert (signal_stack().sp, signal_stack().flags) == (before.sp, before.flags)


def test_there_is_one_core_and_it_changes_nothing() -> None:
    pytest.importorskip("openvino")
    before = signal_stack()
    assert openvino_core() is openvino_core()
    assert signal_stack().sp == before.sp


def test_nobody_makes_a_core_of_their_own() -> None:
    made = [
        path.relative_to(ROOT).as_posix()
        for folder in ("sr", "tests", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if re.search(r"\bCore\(\)", path.read_text())
    ]
    assert made == ["sr/ops/openvino_runtime.py", "tests/ops/test_openvino_runtime.py"]
