"""Files whose names say their ranks."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sr.run.ranked_files import Ranking, rearrange, second_name


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("order", "after"),
    [
        ([2, 0, 1], {"best.ckpt": "new", "best-1.ckpt": "a", "best-2.ckpt": "b"}),
        ([1, 2, 0], {"best.ckpt": "b", "best-1.ckpt": "new", "best-2.ckpt": "a"}),
        ([1, 0, 2], {"best.ckpt": "b", "best-1.ckpt": "a", "best-2.ckpt": "new"}),
        ([2], {"best.ckpt": "new"}),
        ([1, 2], {"best.ckpt": "b", "best-1.ckpt": "new"}),
    ],
)
@pytest.mark.parametrize("links", [True, False])
def test_every_file_gets_the_name_of_its_rank(
    tmp_path: Path,
    order: Sequence[int],
    after: Mapping[str, str],
    links: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    for name, content in (("best", "a"), ("best-1", "b")):
        (tmp_path / f"{name}.ckpt").write_text(content)
    fresh = tmp_path / ".fresh"
    fresh.write_text("new")
    rearrange(tmp_path, "best", Ranking(order=order, before=2), fresh=fresh)
    assert contents(tmp_path) == after


def test_a_file_that_a_user_removed_is_no_error(tmp_path: Path) -> None:
    (tmp_path / ".fresh").write_text("new")
    rearrange(tmp_path, "last", Ranking(order=[2, 0], before=2), fresh=tmp_path / ".fresh")
    assert contents(tmp_path) == {"last.ckpt": "new"}


def test_a_second_name_needs_no_space(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("content")
    (tmp_path / "b").write_text("of before")
    second_name(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").samefile(tmp_path / "b")


def no_links(source: object, name: object) -> None:
    raise OSError(95, "Operation not supported")
