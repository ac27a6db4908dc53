"""A disk or a memory without room, folders that cannot be written to, and other mistakes are named."""

import errno
from pathlib import Path
from typing import Any

import pytest
from caches import folder, source
from helpers import picture
from small_data import batches

from sr.data.cache import folder as cache_folder
from sr.data.cache import pixel_file
from sr.pictures.writing import write_png


def test_too_little_room_is_said_before_anything_is_written(
    photos: Path, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    source(photos).open()
    before = source(photos).folder.pixels.read_bytes()
    write_png(photos / "new.png", picture(500, 700))
    usage = type("usage", (), {"free": 10_000})
    reads.clear()
    with monkeypatch.context() as patch:
        patch.setattr(cache_folder.shutil, "disk_usage", lambda path: usage)
        with pytest.raises(
            OSError,
            match=r"data\.cache=disk: the 5 images of .*photos need 1\.1 MB in .*, where 0\.0 MB are free; delete"
            r" .*pixels \(0\.1 MB, of before the files changed\), take another data\.cache_dir or data\.cache=none",
        ):
            source(photos).open()
        with pytest.raises(
            OSError, match=r"data\.cache=ram: the 5 images of .* are free; take data\.cache=disk$"
        ):
            source(photos, "ram").open()
    assert not reads
    assert source(photos).folder.pixels.read_bytes() == before
    monkeypatch.setattr(cache_folder, "free_memory", lambda device: 10_000)
    with pytest.raises(OSError, match=r"need 1\.1 MB in .*, where 0\.0 MB are free; take data\.cache=disk$"):
        source(photos, "ram").open()
    assert list(cache_folder.SHARED_MEMORY.iterdir()) == []


def test_a_disk_that_fills_up_meanwhile(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pixel_file.os, "pwrite", full)
    with pytest.raises(
        OSError, match=r"data\.cache=disk: no space is left in .*take another data\.cache_dir"
    ):
        source(photos).open()
    assert not source(photos).folder.path.exists()


def test_a_directory_that_cannot_be_written_to_is_named(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    data = folder(photos, "disk", cache_dir=str(tmp_path / "file"))
    with pytest.raises(OSError, match=r"data\.cache=disk: .*file.* cannot be written to \(Not a directory\)"):
        data.train_dataloader()


def test_a_directory_that_cannot_be_made_is_not_waited_for(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As below /proc, which says that there is no such directory when it is asked to make one."""
    data = folder(photos, "disk", cache_dir=str(photos / "cache"))

    def refuse(path: Path, *args: Any, **options: Any) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OSError, match=r"data\.cache=disk: .*cache.* cannot be written to \(No such file"):
        batches(data)


@pytest.mark.parametrize(
    ("kind", "cache_dir", "message"),
    [
        ("shm", None, r"data\.cache='shm': choose one of none, disk, ram"),
        ("ram", "here", r"data\.cache_dir=here is where data\.cache=disk keeps images, and data\.cache=ram"),
        (
            "none",
            "here",
            r"data\.cache_dir=here is where data\.cache=disk keeps images, and data\.cache=none",
        ),
    ],
)
def test_mistakes_are_named(photos: Path, kind: str, cache_dir: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        folder(photos, kind, cache_dir=cache_dir)


def test_a_machine_without_shared_memory(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_folder, "SHARED_MEMORY", tmp_path / "missing")
    with pytest.raises(ValueError, match=r"data\.cache=ram: .*missing; take data\.cache=disk"):
        folder(photos, "ram")
