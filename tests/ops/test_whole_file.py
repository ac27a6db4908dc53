"""Files that appear whole or not at all, and what killed processes leave of them."""

import os
import signal
import sys
from pathlib import Path

import pytest
from processes import ROOT, running, wait_until

from sr.ops import whole_file
from sr.ops.whole_file import remove_abandoned, remove_unfinished, replacing, unfinished_name

WRITER = """
import sys, time
from pathlib import Path
from sr.ops.whole_file import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    time.sleep(600)
"""


def unfinished(folder: Path) -> list[Path]:
    return list(folder.glob(".*.part"))


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with replacing(tmp_path / "a") as file:
        file.write(b"new")
        assert (tmp_path / "a").read_bytes() == b"old"
    assert (tmp_path / "a").read_bytes() == b"new"
    with pytest.raises(KeyError), replacing(tmp_path / "a") as file:
        file.write(b"half")
        raise KeyError
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"new"}


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    with running([sys.executable, "-c", WRITER, str(tmp_path / "a.png")], cwd=ROOT) as process:
        wait_until(lambda: any(path.stat().st_size for path in unfinished(tmp_path)), process)
        (left,) = unfinished(tmp_path)
        remove_abandoned(tmp_path)
        assert left.exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert left.exists()
    remove_abandoned(tmp_path)
    assert not left.exists()


def test_a_process_of_the_same_number_may_be_another_one(tmp_path: Path) -> None:
    """The number of a dead process is given away again: here it is that of this test."""
    left = unfinished_name(tmp_path / "a.png")
    left.write_bytes(b"half")
    remove_abandoned(tmp_path)
    assert not left.exists()


def test_other_machines_have_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their locks may not be seen here."""
    with monkeypatch.context() as patch:
        patch.setattr(whole_file.platform, "node", lambda: "elsewhere")
        theirs = unfinished_name(tmp_path / "a.png")
    theirs.write_bytes(b"half")
    remove_abandoned(tmp_path)
    assert theirs.exists()
    long_ago = theirs.stat().st_mtime - 2 * whole_file.HOUR
    os.utime(theirs, (long_ago, long_ago))
    remove_abandoned(tmp_path)
    assert not theirs.exists()


def test_where_there_are_no_locks_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> bool:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(whole_file, "lock", none)
    left = unfinished_name(tmp_path / "b")
    left.touch()
    remove_abandoned(tmp_path)
    assert left.exists()
    with replacing(tmp_path / "a") as file:
        file.write(b"whole")
    assert (tmp_path / "a").read_bytes() == b"whole"


def test_a_file_that_was_removed_before_it_was_locked_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = whole_file.lock, []

    def slow(file: object, **settings: bool) -> bool:
        tries.append(file)
        if len(tries) == 1:
            (left,) = unfinished(tmp_path)
            left.unlink()
        return real(file, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(whole_file, "lock", slow)
    with replacing(tmp_path / "a") as file:
        file.write(b"whole")
    assert len(tries) == 2
    assert (tmp_path / "a").read_bytes() == b"whole"


def test_a_folder_of_one_s_own_is_cleared(tmp_path: Path) -> None:
    for name in (".last.part", ".last.ckpt.123.part", "kept.part"):
        (tmp_path / name).touch()
    (tmp_path / ".model.ckpt.5.part").mkdir()
    remove_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.part"]


def test_a_file_that_cannot_be_written_goes_by_the_name_that_the_user_knows(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as caught, replacing(tmp_path / "file" / "list.txt"):
        pass
    assert caught.value.filename == str(tmp_path / "file" / "list.txt")


def test_what_else_goes_wrong_while_it_is_written_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "list.txt"):
        (tmp_path / "source").read_bytes()
    assert caught.value.filename == str(tmp_path / "source")
    assert list(tmp_path.iterdir()) == []
