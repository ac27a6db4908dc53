"""Which files of a folder are its images."""

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
