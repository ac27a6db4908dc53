"""Lists of files that training leaves out."""

import logging
from pathlib import Path

import pytest
from helpers import compose_config, picture
from hydra.utils import instantiate

from sr.data.exclusion import without
from sr.data.sources import ImageFiles
from sr.pictures.writing import write_png


def write(path: Path, *lines: str) -> str:
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


def test_named_files_are_left_out(photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    images = ImageFiles.from_directory(photos)
    listed = write(tmp_path / "list", "# bad", "", "a.png  # tiny: 4 x 4", "deep/c.png")
    assert [path.name for path in without(images, listed).paths] == ["b.png", "d.png"]
    assert f"2 of 4 images are left out by {listed}" in caplog.text
    assert without(images, None) is images


def test_what_is_wrong_with_a_list_is_named(photos: Path, tmp_path: Path) -> None:
    images = ImageFiles.from_directory(photos)
    with pytest.raises(FileNotFoundError, match=r"data\.exclude=nowhere does not exist"):
        without(images, "nowhere")
    with pytest.raises(FileNotFoundError, match=r"data\.exclude=.*photos is a folder: name a list of files"):
        without(images, str(photos))
    with pytest.raises(ValueError, match=r"x\.png \(and 1 more\) is not an image below"):
        without(images, write(tmp_path / "list", "a.png", "x.png", "y.png"))
    with pytest.raises(ValueError, match=r"data\.exclude=.*a\.png is not a text file: name a list of files"):
        without(images, str(photos / "a.png"))
    with pytest.raises(ValueError, match="leaves none of the 4 images"):
        without(images, write(tmp_path / "list", "a.png", "b.png", "deep/c.png", "d.png"))


def test_folders_and_pairs_heed_it(photos: Path, tmp_path: Path) -> None:
    listed = write(tmp_path / "list", "a.png")
    small = ["data.hr_patch_size=32", f"data.exclude={listed}", f"data.train_dir={photos}"]
    folder = instantiate(compose_config("data=folder", *small).data)
    assert len(folder.listing()) == 3
    for path in photos.rglob("*.png"):
        name = path.relative_to(photos)
        write_png(tmp_path / "lr" / name, picture(path_size(path)[0] // 4, path_size(path)[1] // 4))
    pairs = instantiate(compose_config("data=paired", *small, f"data.train_lr_dir={tmp_path}/lr").data)
    listing = pairs.listing()
    assert len(listing) == 6
    assert not any("a.png" in line for line in listing)


def path_size(path: Path) -> tuple[int, int]:
    return ImageFiles([path], root=path.parent).size(0)
