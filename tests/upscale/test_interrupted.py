"""A program that is interrupted or killed leaves whole files only."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from helpers import picture, run_program
from upscaling import upscale

from sr.pictures.reading import read_picture
from sr.pictures.writing import write_png
from sr.programs import upscale as program


@pytest.mark.usefixtures("heeding_ctrl_c")
def test_ctrl_c_between_two_tiles_keeps_the_file_of_before(
    ckpt: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    @contextmanager
    def interrupting(tiles: int) -> Iterator[Callable[[int], object]]:
        assert tiles > 9
        left = [None, None]  # batches of a few tiles
        yield lambda done: left.pop() if left else signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(program, "_tile_bar", interrupting)
    write_png(tmp_path / "in" / "a.png", picture(300, 300))
    write_png(tmp_path / "in" / "b.png", picture(8, 8))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"old")
    options = ("--ckpt", ckpt, "--out", tmp_path / "out", "--tile", "64")
    assert upscale(tmp_path / "in", *options) == 130
    last = capfd.readouterr().out.splitlines()[-1]
    assert last == "stopped: 0 upscaled, 0 skipped, 0 failed, 2 not done"
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == {"a.png": b"old"}


# The program, which gets a signal while it writes its third picture.
SIGNALLED = """
import os, signal, sys
from sr.ops import whole_file
from sr.commands.upscale import main
fsync, written = os.fsync, []
def signalled(file):
    written.append(file)
    if len(written) == 3:
        os.kill(os.getpid(), signal.{name})
    fsync(file)
whole_file.os.fsync = signalled
main()
"""


@pytest.mark.usefixtures("heeding_ctrl_c")
def test_ctrl_c_leaves_whole_files_only(photos: Path, ckpt: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run_program("-c", SIGNALLED.format(name="SIGINT"), str(photos), "--ckpt", ckpt, "--out", str(out))
    assert done.returncode == 130, done.stderr
    left = sorted(path for path in out.rglob("*") if path.is_file())
    # The third becomes complete, and so does the fourth if it waits for it already.
    assert len(left) in (3, 4)
    last = done.stdout.splitlines()[-1]
    assert last == f"stopped: {len(left)} upscaled, 0 skipped, 0 failed, {4 - len(left)} not done"
    names = ["a.png", "b.png", "d.png", "c.png"]  # c is in a subfolder
    assert {path.name for path in left} == set(names[: len(left)])  # and no unfinished file among them
    assert [read_picture(path).colour.shape for path in left[:2]] == [(128, 144, 3), (160, 132, 3)]


def test_what_a_killed_program_left_is_removed_by_the_next(photos: Path, ckpt: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = (str(photos), "--ckpt", ckpt, "--out", str(out), "--skip-existing")
    done = run_program("-c", SIGNALLED.format(name="SIGKILL"), *arguments)
    assert done.returncode == -signal.SIGKILL
    (left,) = out.rglob(".*")
    assert left.name.startswith(".d.png.")
    done = run_program("-m", "sr.commands.upscale", *arguments)
    assert done.stdout.splitlines()[-1] == "done: 2 upscaled, 2 skipped, 0 failed"
    assert not list(out.rglob(".*"))
