"""Every file is decoded once, and what has changed is noticed."""

import logging
import mmap
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caches import assert_same, folder, source
from helpers import picture
from small_data import batches

from sr.data.cache import cached_images, pixel_file
from sr.data.cache import folder as cache_folder
from sr.data.cache.cached_images import cached
from sr.data.sources import ImageFiles
from sr.pictures.picture import UnreadableImageError
from sr.pictures.writing import write_png


def test_every_file_is_read_once_for_all_runs(
    photos: Path, reads: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first = source(photos)
    path = first.folder.path
    first.open()
    assert sorted(reads) == ["a.png", "b.png", "c.png", "d.png"]
    assert f"reading 4 of 4 images of {photos} into {path}" in caplog.text
    assert path.parent.parts[-2:] == ("caches", "sr-lightning")
    caplog.clear()
    again = source(photos)
    assert [again[number].shape for number in range(4)] == [first[number].shape for number in range(4)]
    assert len(reads) == 4
    assert "reading" not in caplog.text
    assert sorted(entry.name for entry in path.iterdir()) == ["lock", "pixels"]


def test_size_time_and_list_are_verified(
    photos: Path, reads: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Only what changed is read again."""
    caplog.set_level(logging.INFO)
    source(photos).open()

    def after(change: Callable[[], Any]) -> list[str]:
        change()
        reads.clear()
        caplog.clear()
        images, files = source(photos), ImageFiles.from_directory(photos)
        for number in range(len(files)):
            np.testing.assert_array_equal(images[number], files[number])
        return sorted(reads)

    def other_size_same_time() -> None:
        stamp = (photos / "b.png").stat().st_mtime_ns
        write_png(photos / "b.png", picture(33, 44))
        os.utime(photos / "b.png", ns=(stamp, stamp))

    assert after(lambda: None) == []
    assert after(other_size_same_time) == ["b.png"]
    assert "reading 1 of 4 images" in caplog.text
    assert "(0 new, 1 changed, 0 removed since it was made)" in caplog.text
    assert after(lambda: os.utime(photos / "b.png", ns=(5, 5))) == ["b.png"]
    assert after(lambda: write_png(photos / "deep" / "e.png", picture(40, 50))) == ["e.png"]
    held = source(photos).folder.pixels.stat().st_size
    assert after((photos / "d.png").unlink) == []
    assert "(0 new, 0 changed, 1 removed since it was made)" in caplog.text
    assert source(photos).folder.pixels.stat().st_size < held - 64 * 97 * 3 + 64


def test_runs_that_take_different_files_do_not_compete(photos: Path, reads: list[str]) -> None:
    all_of_them = ImageFiles.from_directory(photos)
    some = ImageFiles(all_of_them.paths[2:0:-1], root=photos)
    for files in (all_of_them, some, all_of_them, some):
        images = cached(files, cache="disk", cache_dir=None)
        for number in range(len(files)):
            np.testing.assert_array_equal(images[number], files[number])
    assert len(reads) == 4


def test_an_open_cache_survives_a_new_one(photos: Path) -> None:
    old = source(photos)
    before = old[0].copy()
    write_png(photos / "a.png", picture(70, 80, seed=9))
    assert source(photos)[0].shape == (70, 80, 3)
    np.testing.assert_array_equal(old[0], before)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(old))[0], before)


def test_a_cache_that_is_complete_is_read_from_a_folder_without_permission_to_write(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of a colleague, say."""
    source(photos).open()
    monkeypatch.setattr(cache_folder.CacheFolder, "locked", None)
    assert source(photos)[0].shape == (64, 72, 3)


class NotedMap(mmap.mmap):
    """Remembers what was advised."""

    def madvise(self, option: int, start: int = 0, length: int = 0) -> None:
        assert option == mmap.MADV_WILLNEED
        self.asked = (start, length)


def test_the_rows_of_a_crop_are_read_at_once() -> None:
    page = mmap.PAGESIZE
    pixels = NotedMap(-1, 64 * page)
    image = np.ndarray((30, page // 3, 3), np.uint8, buffer=pixels, offset=2 * page)[:20]
    row = image.strides[0]
    for top, bottom, inside in ((4, 9, (4, 9)), (-5, 3, (0, 3)), (11, 90, (11, 20))):
        pixel_file.expect_rows(image, top, bottom)
        first, last = (2 * page + number * row for number in inside)
        start, length = pixels.asked
        assert start % page == 0
        assert 0 <= first - start < page
        assert start + length == last
    pixel_file.expect_rows(image.copy(), 0, 5)  # nothing to read
    assert pixels.asked == (start, length)


def test_unreadable_files_are_named_or_replaced_as_without(
    photos: Path, caplog: pytest.LogCaptureFixture, reads: list[str]
) -> None:
    data = (photos / "b.png").read_bytes()
    (photos / "b.png").write_bytes(data[: len(data) // 2])  # its header is still good
    module = folder(photos, "disk", on_error="skip")
    assert_same(batches(module), batches(folder(photos, "none", on_error="skip")))
    assert "skipped: " in caplog.text
    caplog.clear()
    module.teardown("fit")
    assert "1 of 4 training images were skipped as unreadable" in caplog.text
    with pytest.raises(UnreadableImageError, match=r"b\.png: truncated or damaged [^&]*[^s]\)$"):
        folder(photos, "disk").prepare_data()
    (photos / "a.png").write_bytes((photos / "a.png").read_bytes()[:-300])
    with pytest.raises(UnreadableImageError, match=r"a\.png: .* \(and 1 other files\)$"):
        folder(photos, "disk").prepare_data()


def test_a_file_that_could_not_be_read_is_tried_again(
    photos: Path, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    """A network that was away leaves size and time stamp as they were."""

    def away(path: Path, *, channels: int) -> np.ndarray:
        raise UnreadableImageError(f"{path}: Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(cached_images, "read_image", away)
        images = source(photos)
        images.open()
        assert len(images.unreadable) == 4
        stale = source(photos)
        with pytest.raises(UnreadableImageError, match=r"a\.png: Input/output error"):
            stale[0]
    images = source(photos)
    images.open()
    assert images.unreadable == []
    assert source(photos)[0].shape == (64, 72, 3)
