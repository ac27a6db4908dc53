from pathlib import Path

import numpy as np
import pytest
from helpers import picture
from PIL import Image

from sr.data.sources import (
    SAMPLES,
    DeadLeavesImages,
    ImageFiles,
    match_pairs,
    sample_photographs,
    say_conversions,
)
from sr.pictures.cmyk import GUESSED
from sr.pictures.writing import write_png


def files(root: Path, *names: str) -> ImageFiles:
    for name in names:
        write_png(root / name, picture(8, 8))
    return ImageFiles.from_directory(root)


def test_names_are_paths_without_suffix(photos: Path) -> None:
    images = ImageFiles.from_directory(photos)
    assert [images.name(i) for i in range(len(images))] == ["a", "b", "d", "deep/c"]
    assert images[3].shape == (70, 90, 3)
    assert images.size(3) == (70, 90)


def test_how_many_images_are_where_and_what_reading_changes(
    photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    Image.fromarray(picture(70, 70, channels=4)).save(photos / "deep" / "e.png")
    Image.fromarray(picture(70, 70)).convert("CMYK").save(photos / "f.jpg")
    (photos / "more").symlink_to(photos / "deep")  # leads to what counts already
    images = ImageFiles.from_directory(photos)
    say_conversions(images)
    assert [record.getMessage() for record in caplog.records] == [
        f"6 images in {photos}",
        f"1 of 6 images in {photos}: transparent: laid on white (e.png)",
        f"1 of 6 images in {photos}: {GUESSED} (f.jpg)",
    ]


def test_shipped_photographs_are_there_and_no_scene_is_in_both_splits() -> None:
    train, val = sample_photographs("train"), sample_photographs("val")
    assert not set(SAMPLES["train"]) & set(SAMPLES["val"])
    assert [val[i].shape for i in range(len(val))] == [(300, 451, 3), (400, 600, 3), (427, 640, 3)]
    assert all(min(train.size(i)) >= 300 for i in range(len(train)))


@pytest.mark.parametrize("ending", ["", "x4"])
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
        "For 0801.png the most similar names there: X2/0801x2.png, X2/0810x2.png, X2/0809x2.png. The rule: a.png of HR"
        " pairs with"
        " a.* or ax4.* of LR, in the same subfolder"
    )


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    hr = files(tmp_path / "hr", "a.png")
    lr = files(tmp_path / "lr", "a.png", "ax4.png")
    with pytest.raises(ValueError, match="and another file have the same name"):
        match_pairs(hr, lr, scale=4)


def test_dead_leaves_are_numbered_kept_and_seeded() -> None:
    images = DeadLeavesImages(num_images=3, size=48, seed=5)
    assert len(images) == 3
    assert images[1] is images[1]
    assert images[1].shape == (48, 48, 3)
    again = DeadLeavesImages(num_images=3, size=48, seed=5)
    np.testing.assert_array_equal(again[1], images[1])
    assert (images[0] != images[1]).any()
    assert (DeadLeavesImages(num_images=3, size=48, seed=6)[1] != images[1]).any()


def test_a_listing_tells_images_apart(tmp_path: Path) -> None:
    images = files(tmp_path, "a.png", "deep/b.png")
    sizes = [(tmp_path / name).stat().st_size for name in ("a.png", "deep/b.png")]
    assert images.listing() == [f"a.png {sizes[0]}", f"deep/b.png {sizes[1]}"]
    leaves = DeadLeavesImages(num_images=2, size=32, seed=1).listing()
    assert len(set(leaves)) == 2
    assert not set(leaves) & set(DeadLeavesImages(num_images=2, size=32, seed=2).listing())
