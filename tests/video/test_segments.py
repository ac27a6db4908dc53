"""The folder of finished parts."""

from pathlib import Path

import pytest

from sr.ops.file_lock import InUseError
from sr.video.segments import planned, segments_folder, working_on

PLAN = {"scale": 2}


def test_one_process_at_a_time(tmp_path: Path) -> None:
    target = tmp_path / "film.mkv"
    with (
        working_on(target, PLAN, resume=False),
        pytest.raises(InUseError, match=r"--out=.*\.film\.mkv\.segments is in use by process"),
        working_on(target, PLAN, resume=True),
    ):
        pass


def test_parts_count_when_their_times_are_there(tmp_path: Path) -> None:
    target = tmp_path / "film.mkv"
    with working_on(target, PLAN, resume=False) as work:
        for number in range(2):
            work.next_file().write_bytes(b"frames" * (number + 1))
            work.finish([(number * 10, 10)])
        work.next_file().write_bytes(b"half")  # killed before it was finished
        (work.folder / ".000002.nut.x.part").write_bytes(b"")
    assert planned(target) == PLAN
    with working_on(target, PLAN, resume=True) as work:
        assert [segment.times for segment in work.finished] == [((0, 10),), ((10, 10),)]
        assert work.next_file().name == "000002.nut"
        assert not list(work.folder.glob(".*.part"))
        work.remove()
    assert not segments_folder(target).exists()
    assert planned(target) == {}


def test_a_run_that_finished_nothing_leaves_nothing_to_resume(tmp_path: Path) -> None:
    target = tmp_path / "film.mkv"
    with working_on(target, PLAN, resume=False):
        pass
    with working_on(target, {"scale": 4}, resume=False) as work:
        assert work.finished == []
    assert planned(target) == {"scale": 4}
