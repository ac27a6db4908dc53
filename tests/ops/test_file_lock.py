"""Locks on files, and folders in which one process at a time is at work."""

import fcntl
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from processes import ROOT, running, wait_until

from sr.ops import file_lock
from sr.ops.file_lock import IN_USE, InUseError, alone_in

HOLDER = """
import sys, time
from pathlib import Path
from sr.ops.file_lock import alone_in
with alone_in(Path(sys.argv[1]), key="key"):
    time.sleep(600)
"""


def test_one_at_a_time(tmp_path: Path) -> None:
    with alone_in(tmp_path, key="hydra.run.dir"):
        with (
            pytest.raises(
                InUseError, match=rf"hydra\.run\.dir={tmp_path} is in use by process {os.getpid()} on"
            ),
            alone_in(tmp_path, key="hydra.run.dir"),
        ):
            pass
        with alone_in(tmp_path / "another", key="hydra.run.dir"):
            pass
    with alone_in(tmp_path, key="hydra.run.dir"):
        pass
    assert list(tmp_path.iterdir()) == []  # nothing of it is left, nor a folder that stayed empty


def test_what_was_there_stays(tmp_path: Path) -> None:
    with alone_in(tmp_path / "new", key="x"):
        (tmp_path / "new" / "file").touch()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


def test_an_error_gives_the_folder_back(tmp_path: Path) -> None:
    with pytest.raises(KeyError), alone_in(tmp_path, key="x"):
        raise KeyError
    with alone_in(tmp_path, key="x"):
        pass


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    with running([sys.executable, "-c", HOLDER, str(tmp_path)], cwd=ROOT) as process:
        wait_until(lambda: (tmp_path / IN_USE).exists() and (tmp_path / IN_USE).read_text() != "", process)
        with pytest.raises(InUseError, match=f"by process {process.pid} on"), alone_in(tmp_path, key="x"):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (tmp_path / IN_USE).exists()
    with alone_in(tmp_path, key="x"):
        pass


def test_a_file_that_was_removed_before_it_was_locked_is_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has let go of the folder and a third one has taken it, between the opening and the lock."""
    path, tries = tmp_path / IN_USE, []
    real = file_lock.lock

    def slow(file: Any) -> bool:
        tries.append(file)
        if len(tries) == 1:
            path.unlink()
        return real(file)

    monkeypatch.setattr(file_lock, "lock", slow)
    with alone_in(tmp_path, key="x"):
        assert len(tries) == 2
        assert file_lock.is_at(tries[1], path)


def test_where_there_are_no_locks_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", none)
    with alone_in(tmp_path, key="hydra.run.dir"), alone_in(tmp_path, key="hydra.run.dir"):
        pass
    assert "nothing keeps a second process out of it ([Errno 95] Operation not supported)" in caplog.text
    caplog.clear()
    monkeypatch.setitem(sys.modules, "fcntl", None)  # as on Windows
    with alone_in(tmp_path, key="hydra.run.dir"):
        pass
    assert "has no locks of this kind" in caplog.text
