"""From a name to a file."""

from pathlib import Path

import pytest

from sr.zoo import shipped
from sr.zoo.shipped import net_names, read_card, shadowed, shipped_file, weights_file


def test_the_names_are_those_of_the_files(box: Path) -> None:
    assert net_names() == ["classic-x2", "general-x4"]
    (box / "own-x3.safetensors").write_bytes((box / "classic-x2.safetensors").read_bytes())
    assert net_names() == ["classic-x2", "general-x4", "own-x3"]
    assert shipped_file("own-x3") == box / "own-x3.safetensors"


def test_an_unknown_name_is_refused_with_the_names(box: Path) -> None:
    with pytest.raises(
        ValueError, match="classic-x3 is no net in this package: choose from classic-x2, general-x4"
    ):
        shipped_file("classic-x3")
    with pytest.raises(
        FileNotFoundError,
        match=r"checkpoint classic-x3 does not exist: .* choose from classic-x2, general-x4",
    ):
        weights_file("classic-x3")


def test_a_package_without_nets_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "none")
    assert net_names() == []
    with pytest.raises(ValueError, match="general-x4 is no net in this package: it holds none"):
        shipped_file("general-x4")


def test_what_is_no_name_is_a_path(box: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.pth"
    own.touch()
    assert weights_file(own) == weights_file(str(own)) == own
    with pytest.raises(FileNotFoundError, match="here is a folder: name a file of weights"):
        weights_file(tmp_path / "here")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_name_comes_before_what_lies_here_and_says_so(box: Path, kind: str) -> None:
    assert shadowed("classic-x2") == ""
    here = Path("classic-x2")
    here.touch() if kind == "file" else here.mkdir()
    assert weights_file("classic-x2") == box / "classic-x2.safetensors"
    assert shadowed("classic-x2").endswith("which is ./classic-x2")
    assert shadowed("./classic-x2") == ""
    if kind == "file":
        assert weights_file("./classic-x2") == here


def test_the_card_is_read_from_the_head_of_the_file(box: Path) -> None:
    card = read_card("classic-x2")
    assert (card["name"], card["scale"], card["license"]) == ("classic-x2", "2", "MIT")
    assert (card["seed"], card["seconds"], card["averaged"]) == ("0", "12.0", "yes")
