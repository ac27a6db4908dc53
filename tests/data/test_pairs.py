"""Which LR file belongs to which HR file."""

from pathlib import Path

import pytest
from helpers import picture

from sr.data.pairs import match_pairs
from sr.data.sources import ImageFiles
from sr.pictures.writing import write_png


def files(root: Path, *names: str) -> ImageFiles:
    for name in names:
        write_png(root / name, picture(8, 8))
    return ImageFiles.from_directory(root)


@pytest.mark.parametrize("ending", ["", "x4", "_x4", "_bicLRx4", "_LR", "_LRx4", "_LRBI_x4"])
def test_pairs_by_name(tmp_path: Path, ending: str) -> None:
    hr = files(tmp_path / "hr", "b.png", "sub/a.png")
    lr = files(tmp_path / "lr", f"sub/a{ending}.bmp.png".replace(".bmp", ""), f"b{ending}.png")
    hr, lr = match_pairs(hr, lr, scale=4)
    assert [path.name for path in hr.paths] == ["b.png", "a.png"]
    assert [path.name for path in lr.paths] == [f"b{ending}.png", f"a{ending}.png"]


def test_a_missing_partner_is_named(tmp_path: Path) -> None:
    hr, lr = files(tmp_path / "hr", "a.png", "b.png"), files(tmp_path / "lr", "a.png")
    message = r"1 image\(s\) in .*hr have no partner in .*lr. For b.png the most similar names there: a.png. The rule: "
    with pytest.raises(ValueError, match=message):
        match_pairs(hr, lr, scale=4)
    with pytest.raises(ValueError, match=message):
        match_pairs(lr, hr, scale=4)


def test_the_names_nearest_to_the_missing_partner_are_shown(tmp_path: Path) -> None:
    numbers = [f"08{number:02}" for number in range(1, 11)]
    hr = files(tmp_path / "hr", *(f"{number}.png" for number in numbers))
    lr = files(tmp_path / "lr", *(f"X2/{number}x2.png" for number in numbers))
    with pytest.raises(ValueError, match=r"^10 image\(s\) in .*hr have no partner in .*lr\.") as caught:
        match_pairs(hr, lr, scale=4)
    assert str(caught.value).split(". ", 1)[1] == (
        "For 0801.png the most similar names there: X2/0801x2.png, X2/0810x2.png, X2/0809x2.png. The rule: {name}.* of"
        " HR pairs with {name}.* or {name}x4.* or {name}_x4.* or {name}_bicLRx4.* or {name}_LR.* or {name}_LRx4.* or"
        ' {name}_LRBI_x4.* of LR, in the same subfolder; data.lr_name="{name}..." sets another one,'
        ' lr_name="{name}..." for evaluate.py, --lr-name for sr-align'
    )


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    hr = files(tmp_path / "hr", "a.png")
    lr = files(tmp_path / "lr", "a.png", "ax4.png")
    with pytest.raises(ValueError, match="and another file have the same name"):
        match_pairs(hr, lr, scale=4)


def test_a_rule_of_the_user_s(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    hr = files(tmp_path / "hr", "a.png", "sub/b.png")
    lr = files(tmp_path / "lr", "small-a-4.png", "sub/small-b-4.png")
    with pytest.raises(ValueError, match="have no partner"):
        match_pairs(hr, lr, scale=4)
    found, partners = match_pairs(hr, lr, scale=4, lr_name="small-{name}-{scale}")
    assert [path.name for path in found.paths] == ["a.png", "b.png"]
    assert [path.name for path in partners.paths] == ["small-a-4.png", "small-b-4.png"]
    assert caplog.messages[-1] == f"2 LR files in {tmp_path / 'lr'} are paired by their name small-{{name}}-4"
    with pytest.raises(ValueError, match=r"^lr_name=\{name\}x4: the LR file a has no such name; endings"):
        match_pairs(hr, hr, scale=4, lr_name="{name}x4")


@pytest.mark.parametrize("lr_name", ["x4", "{name}{name}", "lr/{name}"])
def test_a_rule_without_one_name_is_refused(tmp_path: Path, lr_name: str) -> None:
    hr = files(tmp_path, "a.png")
    with pytest.raises(ValueError, match=r"^lr_name=.*: write the name of an LR file without its ending"):
        match_pairs(hr, hr, scale=4, lr_name=lr_name)


def test_a_name_that_hr_has_itself_comes_before_a_rule(tmp_path: Path) -> None:
    hr = files(tmp_path / "hr", "night_LR.png", "night.png")
    lr = files(tmp_path / "lr", "night_LR.png", "night.png")
    _, partners = match_pairs(hr, lr, scale=4)
    assert [path.name for path in partners.paths] == ["night.png", "night_LR.png"]
