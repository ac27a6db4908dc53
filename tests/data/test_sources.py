from pathlib import Path

import numpy as np
import pytest
from helpers import picture
from PIL import Image

from sr.data.sources import (
    SAMPLES,
    DeadLeavesImages,
    ImageFiles,
    sample_photographs,
    say_conversions,
)
from sr.pictures.cmyk import GUESSED
from sr.pictures.writing import write_png


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
    for name in ("a.png", "deep/b.png"):
        write_png(tmp_path / name, picture(8, 8))
    images = ImageFiles.from_directory(tmp_path)
    sizes = [(tmp_path / name).stat().st_size for name in ("a.png", "deep/b.png")]
    assert images.listing() == [f"a.png {sizes[0]}", f"deep/b.png {sizes[1]}"]
    leaves = DeadLeavesImages(num_images=2, size=32, seed=1).listing()
    assert len(set(leaves)) == 2
    assert not set(leaves) & set(DeadLeavesImages(num_images=2, size=32, seed=2).listing())
