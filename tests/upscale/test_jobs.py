"""Inputs and their outputs."""

from pathlib import Path

import pytest
from helpers import picture

from sr.pictures.writing import write_png
from sr.upscale.jobs import plan_jobs


def plan(*inputs: Path | str, out: Path, file_format: str = "png") -> dict[str, str]:
    jobs = plan_jobs([str(each) for each in inputs], out_dir=out, file_format=file_format)
    return {job.source.name: str(job.target.relative_to(out)) for job in jobs}


def test_folders_keep_their_structure_and_files_their_stem(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert plan(photos, out=out) == {
        "a.png": "a.png",
        "b.png": "b.png",
        "c.png": "deep/c.png",
        "d.png": "d.png",
    }
    assert plan(photos / "deep" / "c.png", out=out, file_format="webp") == {"c.png": "c.webp"}


def test_patterns_in_quotes(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert plan(photos / "[ab].png", out=out) == {"a.png": "a.png", "b.png": "b.png"}
    assert plan(photos / "**" / "*.png", out=out).keys() == {"a.png", "b.png", "c.png", "d.png"}
    (photos / "[x].png").write_bytes(b"")
    assert plan(photos / "[x].png", out=out) == {"[x].png": "[x].png"}  # a file of that very name


def test_brackets_in_the_name_of_a_folder_are_no_pattern(photos: Path, tmp_path: Path) -> None:
    out, folder = tmp_path / "out", photos / "deep [x]" / "b?"
    write_png(folder / "a [1].png", picture(8, 8))
    assert plan(folder / "*.png", out=out) == {"a [1].png": "a [1].png"}
    assert plan(photos / "deep [x]" / "**" / "*[[]?].png", out=out).keys() == {"a [1].png"}
    assert plan(folder / "a [1].png", out=out) == {"a [1].png": "a [1].png"}
    with pytest.raises(
        FileNotFoundError, match=r"no file matches .*a \[2\]\.png; in a pattern \[ab\] is one char"
    ):
        plan(folder / "a [2].png", out=out)


def test_patterns_below_the_current_directory(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos)
    assert plan("*.png", out=Path("out")).keys() == {"a.png", "b.png", "d.png"}
    assert plan("d[a-f]*/*.png", out=Path("out")).keys() == {"c.png"}


def test_an_image_named_twice_is_done_once(photos: Path, tmp_path: Path) -> None:
    assert len(plan(photos, photos / "a.png", out=tmp_path / "out")) == 4


def test_results_are_no_inputs_of_the_folder_around_them(photos: Path) -> None:
    write_png(photos / "big" / "a.png", picture(8, 8))
    assert "big/a.png" not in plan(photos, out=photos / "big").values()
    assert len(plan(photos, out=photos / "big")) == 4


def test_what_cannot_be_is_refused_before_the_work(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for inputs, error, message in (
        ([photos / "gone.png"], FileNotFoundError, r"gone\.png does not exist"),
        ([photos / "*.gif"], FileNotFoundError, r"no file matches .*\*\.gif"),
        ([photos / "a.png", photos / "deep" / ".." / "gone"], FileNotFoundError, "gone does not exist"),
    ):
        with pytest.raises(error, match=message):
            plan(*inputs, out=out)
    write_png(photos / "deep" / "a.png", picture(8, 8))
    with pytest.raises(ValueError, match=r"a\.png and .*deep/a\.png would both be written to .*a\.png"):
        plan(photos / "a.png", photos / "deep" / "a.png", out=out)
    with pytest.raises(ValueError, match=r"a\.png would be written over an input"):
        plan(photos / "a.png", out=photos)
    with pytest.raises(ValueError, match="would be written over an input"):
        plan(photos / "deep" / "a.png", photos / "a.png", out=photos / "deep")
    (tmp_path / "none").mkdir()
    with pytest.raises(FileNotFoundError, match="none has no image in it"):
        plan(tmp_path / "none", out=out)
