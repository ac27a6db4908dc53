from pathlib import Path

import pytest

from sr.ops.whole_file import replacing


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
