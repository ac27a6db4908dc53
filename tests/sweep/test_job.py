"""A job is a process, and what became of it can be read afterwards."""

import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from processes import running, wait_until, wait_until_gone

from sr.ops import processes
from sr.sweep import job as module
from sr.sweep.job import Job, read_jobs, run_job


def test_a_job_and_its_record(program: list[str], tmp_path: Path) -> None:
    ended = run_job(program, number=3, overrides=["x=2", "y=a"], folder=tmp_path / "3")
    assert ended == Job(3, ("x=2", "y=a"), "done", ended.seconds, tmp_path / "3")
    assert ended.metrics() == {"val/psnr_y": 20.0, "train/adversarial": 4.0}
    assert read_jobs(tmp_path) == [ended]


def test_a_failed_job_is_a_result(
    program: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    assert run_job(program, number=0, overrides=["x=1", "status=3"], folder=tmp_path / "0").status == "failed"
    assert "job 0 (x=1 status=3) ended with status 3" in caplog.text


def test_why_a_job_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failing = tmp_path / "failing.py"
    text = "import sys; print('error: no such file\\n(a hint)', file=sys.stderr); sys.exit(1)"
    failing.write_text(text)
    job = run_job([sys.executable, str(failing)], number=0, overrides=[], folder=tmp_path / "0")
    assert job.reason() == "no such file"
    assert "error: no such file" in capsys.readouterr().err
    failing.write_text("1 / 0")
    assert run_job(
        [sys.executable, str(failing)], number=1, overrides=[], folder=tmp_path / "1"
    ).reason() == ("ZeroDivisionError: division by zero")


DEAF = """
import os, signal, threading
from pathlib import Path
signal.signal(signal.SIGTERM, signal.SIG_IGN)
name = "first" if os.fork() else "second"
half = Path({folder!r}, name + ".half")
half.write_text(str(os.getpid()))
half.rename(Path({folder!r}, name))
threading.Event().wait()
"""


def test_no_process_outlives_its_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.5)
    monkeypatch.setattr(module, "POLL", 0.05)
    file = tmp_path / "deaf.py"
    file.write_text(DEAF.format(folder=str(tmp_path)))
    deaf = [tmp_path / "first", tmp_path / "second"]
    job = run_job(
        [sys.executable, str(file)],
        number=0,
        overrides=[],
        folder=tmp_path / "0",
        give_up=lambda: all(file.exists() for file in deaf),
    )
    assert job.status == "pruned"
    for file in deaf:
        status = Path(f"/proc/{file.read_text()}/stat")
        assert not status.exists() or status.read_text().split()[2] == "Z"


def test_a_job_is_ended_where_there_are_no_groups(
    program: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows: this job would wait for ever, and ignores the polite end."""
    monkeypatch.delattr(os, "killpg")
    monkeypatch.setattr(module, "PATIENCE", 0.5)
    monkeypatch.setattr(module, "POLL", 0.05)
    deaf = tmp_path / "deaf.py"
    deaf.write_text(DEAF.replace("os.fork()", "True").format(folder=str(tmp_path)))
    done = run_job(
        [sys.executable, str(deaf)],
        number=0,
        overrides=[],
        folder=tmp_path / "0",
        give_up=(tmp_path / "first").exists,
    )
    assert done.status == "pruned"
    assert not Path(f"/proc/{(tmp_path / 'first').read_text()}").exists()
    assert run_job(program, number=1, overrides=["x=1"], folder=tmp_path / "1").status == "done"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("heeding_ctrl_c")
def test_a_signal_reaches_the_job_even_before_it_listens(
    tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes as soon as the job is started, long before its Python is."""
    wait = module._wait

    def told_at_once(*arguments: Any) -> bool:
        signal.raise_signal(number)
        return wait(*arguments)

    monkeypatch.setattr(module, "_wait", told_at_once)
    program = tmp_path / "program.py"
    program.write_text("import threading; threading.Event().wait()")
    with pytest.raises(KeyboardInterrupt):
        run_job([sys.executable, str(program)], number=0, overrides=[], folder=tmp_path / "0")
    (job,) = read_jobs(tmp_path)
    assert job.status == "stopped"
    assert job.seconds < module.PATIENCE  # it was told, and not killed in the end


LOSES_CTRL_C = """
import signal, threading
signal.signal(signal.SIGINT, lambda number, frame: None)
open({ready!r}, "w").close()
threading.Event().wait()
"""


@pytest.mark.usefixtures("heeding_ctrl_c")
def test_ctrl_c_ends_a_job_that_loses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python does where KeyboardInterrupt is raised in a callback of an import."""
    monkeypatch.setattr(module, "POLL", 0.05)
    ready, program = tmp_path / "ready", tmp_path / "program.py"
    program.write_text(LOSES_CTRL_C.format(ready=str(ready)))

    def pressed() -> bool:
        if ready.exists():
            signal.raise_signal(signal.SIGINT)
        return False

    with pytest.raises(KeyboardInterrupt):
        run_job(
            [sys.executable, str(program)], number=0, overrides=[], folder=tmp_path / "0", give_up=pressed
        )
    (job,) = read_jobs(tmp_path)
    assert job.status == "stopped"
    assert job.seconds < module.PATIENCE


def test_a_job_that_was_told_to_stop_ends_the_sweep(program: list[str], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_job(program, number=0, overrides=["x=1", "status=75"], folder=tmp_path / "0")
    (job,) = read_jobs(tmp_path)
    assert job.status == "stopped"


def test_a_hopeless_job_is_ended_politely(
    program: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL", 0.05)
    looks: list[int] = []

    def give_up() -> bool:
        looks.append(1)
        return (tmp_path / "0" / "metrics.csv").exists() and len(looks) > 3

    job = run_job(program, number=0, overrides=["x=-1"], folder=tmp_path / "0", give_up=give_up)
    assert job.status == "pruned"
    assert "val/psnr_y" in job.metrics()


def test_numbers_put_jobs_in_order(program: list[str], tmp_path: Path) -> None:
    for number in (10, 9, 0):
        run_job(program, number=number, overrides=["x=1"], folder=tmp_path / str(number))
    assert [job.number for job in read_jobs(tmp_path)] == [0, 9, 10]


STARTER = """
import sys
from pathlib import Path
from sr.sweep.job import run_job
run_job([sys.executable, sys.argv[1]], number=0, overrides=[], folder=Path(sys.argv[1]).parent / "0")
"""
LISTENING = """
import signal, sys, threading
from pathlib import Path
from sr.ops.processes import end_with_starter
def told(*_):
    Path({folder!r}, "told").touch()
    sys.exit(75)
signal.signal(signal.SIGTERM, told)
end_with_starter(signal.SIGTERM)
Path({folder!r}, "listens").touch()
threading.Event().wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_sweep_tells_its_job(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(LISTENING.format(folder=str(tmp_path)))
    with running([sys.executable, "-c", STARTER, str(program)]) as sweep:
        wait_until((tmp_path / "listens").exists, sweep)
        sweep.kill()
        sweep.wait()
        wait_until_gone(sweep)
    assert (tmp_path / "told").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_job_whose_sweep_is_gone_does_not_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(processes.STARTED_BY, str(2**22))  # one more than the largest number of a process
    with pytest.raises(SystemExit, match="the process that has started this one has ended meanwhile"):
        processes.end_with_starter(signal.SIGTERM)
    monkeypatch.setenv(processes.STARTED_BY, "1")  # it lives, but has started another process in between
    processes.end_with_starter(signal.SIGTERM)
