"""Which files of a folder are its images."""

import os
from pathlib import Path

import pytest

from sr.pictures.listing import list_images


def test_list_is_sorted_recursive_and_says_what_is_missing(tmp_path: Path) -> None:
    for name in ("b.png", "sub/a.JPG", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in list_images(tmp_path)] == ["b.png", "a.JPG"]
    (tmp_path / "none").mkdir()
    with pytest.raises(FileNotFoundError, match="none has no image in it"):
        list_images(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="gone does not exist"):
        list_images(tmp_path / "gone")
    with pytest.raises(NotADirectoryError, match=r"b\.png is a file"):
        list_images(tmp_path / "b.png")


def names(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in list_images(root)]


def test_linked_folders_belong_to_it_and_a_cycle_ends_nothing(tmp_path: Path) -> None:
    for name in ("tree/own.png", "tree/sub/deep.png", "elsewhere/linked.png", "elsewhere/below/more.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    root = tmp_path / "tree"
    for link, target in (
        ("a_sub", "sub"),  # comes first by name, and yet the real path counts
        ("more", "../elsewhere"),
        ("again", "../elsewhere"),
        ("sub/loop", ".."),
        ("../elsewhere/back", "../tree"),
    ):
        (root / link).symlink_to(target)
    assert names(root) == ["again/below/more.png", "again/linked.png", "own.png", "sub/deep.png"]
    (tmp_path / "link").symlink_to("tree")
    assert len(list_images(tmp_path / "link")) == 4


def test_what_is_no_file_is_skipped_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "folder.png").mkdir()
    assert names(tmp_path) == ["a.png"]
    assert [record.getMessage() for record in caplog.records] == [
        f"skipped: {tmp_path}/{name} is not a file, or a link that leads nowhere"
        for name in ("gone.png", "pipe.png")
    ]
