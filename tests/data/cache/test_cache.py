"""Cached images: the same pixels, read once, shared by all processes, and nothing left behind."""

import errno
import logging
import mmap
import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pytest
import tifffile
import torch
from helpers import compose_config, picture, run_program
from hydra.utils import instantiate
from processes import LIMIT
from torch.utils.data import DataLoader

from sr.data.cache import cached_images, pixel_file
from sr.data.cache import folder as cache_folder
from sr.data.cache.cached_images import CachedImages, cached
from sr.data.origins import FolderData, PairedData
from sr.data.patches import SynthesizedPatches
from sr.data.sampler import Draw
from sr.data.sources import ImageFiles
from sr.degradations.bicubic import BicubicDegradation
from sr.pictures.picture import UnreadableImageError
from sr.pictures.writing import write_png

fork, spawn = multiprocessing.get_context("fork"), multiprocessing.get_context("spawn")
SHARED: dict[str, Any] = {"scale": 4, "hr_patch_size": 32, "batch_size": 3, "seed": 0, "num_workers": 0}


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for shared memory, and for the caches of the user."""
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(cache_folder, "SHARED_MEMORY", memory)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return memory


def source(root: Path, kind: str = "disk", *, channels: int = 3) -> CachedImages:
    images = cached(ImageFiles.from_directory(root, channels=channels), cache=kind, cache_dir=None)
    assert isinstance(images, CachedImages)
    return images


def folder(photos: Path, kind: str, **changes: Any) -> FolderData:
    settings = SHARED | {
        "degradation": BicubicDegradation(scale=4),
        "train_dir": str(photos),
        "val_dir": str(photos),
        "cache": kind,
        "iterations_per_epoch": 4,
    }
    return FolderData(**settings | changes)


def batches(data: FolderData | PairedData) -> list[dict[str, torch.Tensor]]:
    return list(data.train_dataloader())


def assert_same(a: list[dict[str, torch.Tensor]], b: list[dict[str, torch.Tensor]]) -> None:
    assert len(a) == len(b) > 0
    for left, right in zip(a, b, strict=True):
        assert left.keys() == right.keys()
        assert all(torch.equal(left[key], right[key]) for key in left)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were decoded for a cache."""
    names: list[str] = []
    read = cached_images.read_image

    def noted(path: Path, *, channels: int) -> np.ndarray:
        names.append(Path(path).name)
        return read(path, channels=channels)

    monkeypatch.setattr(cached_images, "read_image", noted)
    return names


# The same samples


@pytest.mark.parametrize("kind", ["disk", "ram"])
@pytest.mark.parametrize("workers", [0, 2])
def test_samples_are_the_same_as_without(photos: Path, kind: str, workers: int) -> None:
    blind = instantiate(compose_config("degradation=realesrgan").degradation)
    expected = batches(folder(photos, "none", degradation=blind))
    assert_same(batches(folder(photos, kind, degradation=blind, num_workers=workers)), expected)


def test_pairs_are_the_same_as_without(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_png(tmp_path / "hr" / f"{name}.png", picture(48, 67, seed=ord(name)))
        write_png(tmp_path / "lr" / f"{name}x4.png", picture(12, 16, seed=ord(name)))
    dirs = {"train_dir": str(tmp_path / "hr"), "train_lr_dir": str(tmp_path / "lr")}
    dirs |= {"val_dir": dirs["train_dir"], "val_lr_dir": dirs["train_lr_dir"]}
    without, *others = (
        PairedData(**SHARED, **dirs, cache=kind, iterations_per_epoch=4) for kind in ("none", "disk", "ram")
    )
    for data in others:
        assert_same(batches(data), batches(without))
        assert data.listing() == without.listing()


def write_kinds(root: Path) -> None:
    """Images of every depth and number of channels."""
    rng = np.random.default_rng(0)
    write_png(root / "gray8.png", picture(21, 33, channels=1))
    write_png(root / "gray16.png", rng.integers(2**16, size=(20, 31, 1), dtype=np.uint16))
    write_png(root / "rgb8.png", picture(20, 31))
    write_png(root / "rgb16.png", rng.integers(2**16, size=(19, 31, 3), dtype=np.uint16))
    tifffile.imwrite(root / "rgb16.tif", rng.integers(2**16, size=(18, 7, 3), dtype=np.uint16))
    tifffile.imwrite(root / "rgb8.tiff", picture(5, 7))


@pytest.mark.parametrize("channels", [1, 3])
def test_depth_and_channels(tmp_path: Path, channels: int) -> None:
    (tmp_path / "kinds").mkdir()
    write_kinds(tmp_path / "kinds")
    images, files = (
        source(tmp_path / "kinds", channels=channels),
        ImageFiles.from_directory(tmp_path / "kinds", channels=channels),
    )
    assert len(images) == len(files) == 6
    needed = 0
    for number in range(len(files)):
        image = images[number]
        assert image.dtype == files[number].dtype
        np.testing.assert_array_equal(image, files[number])
        assert not image.flags.writeable
        assert images.size(number) == files.size(number)
        assert cached_images._decoded_size(files.paths[number], channels) == image.nbytes
        needed += image.nbytes
    held = images.folder.pixels.stat().st_size
    assert needed < held < needed + 2000


def test_many_bands(tmp_path: Path) -> None:
    bands = np.random.default_rng(0).integers(2**16, size=(24, 32, 7), dtype=np.uint16)
    (tmp_path / "bands").mkdir()
    tifffile.imwrite(tmp_path / "bands" / "a.tif", bands, photometric="minisblack", planarconfig="contig")
    np.testing.assert_array_equal(source(tmp_path / "bands", channels=7)[0], bands)
    assert cached_images._decoded_size(tmp_path / "bands" / "a.tif", 7) == bands.nbytes


def test_another_number_of_channels_is_another_set(photos: Path) -> None:
    assert source(photos, channels=1)[0].shape == (64, 72, 1)
    assert source(photos)[0].shape == (64, 72, 3)
    assert source(photos, channels=1)[0].shape == (64, 72, 1)


# Read once


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


# Failures


def test_an_interrupted_build_leaves_nothing(
    photos: Path, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    def interrupted(path: Path, *, channels: int) -> np.ndarray:
        if Path(path).name == "c.png":
            raise KeyboardInterrupt
        return picture(8, 8)

    with monkeypatch.context() as patch:
        patch.setattr(cached_images, "read_image", interrupted)
        with pytest.raises(KeyboardInterrupt):
            source(photos).open()
    assert not source(photos).folder.path.exists()
    np.testing.assert_array_equal(source(photos)[0], ImageFiles.from_directory(photos)[0])
    before = source(photos).folder.pixels.read_bytes()
    os.utime(photos / "deep" / "c.png", ns=(5, 5))
    with monkeypatch.context() as patch:
        patch.setattr(cached_images, "read_image", interrupted)
        with pytest.raises(KeyboardInterrupt):
            source(photos).open()
    assert source(photos).folder.pixels.read_bytes() == before
    assert not source(photos).folder.building.exists()


@pytest.mark.parametrize("left", [0, 10, 16, -1, -20])
def test_a_file_that_is_not_whole_is_not_taken(photos: Path, reads: list[str], left: int) -> None:
    images = source(photos)
    images.open()
    data = images.folder.pixels.read_bytes()
    images.folder.pixels.unlink()
    images.folder.pixels.write_bytes(data[:left])
    np.testing.assert_array_equal(source(photos)[0], ImageFiles.from_directory(photos)[0])
    assert len(reads) == 8


def hang_at(name: str, started: Any) -> Callable[..., np.ndarray]:
    read = cached_images.read_image

    def reading(path: Path, *, channels: int) -> np.ndarray:
        if Path(path).name == name:
            started.set()
            threading.Event().wait()
        return read(path, channels=channels)

    return reading


@pytest.mark.parametrize("kind", ["disk", "ram"])
def test_a_killed_build_is_begun_again(photos: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started = fork.Event()
    with monkeypatch.context() as patch:
        patch.setattr(cached_images, "read_image", hang_at("d.png", started))
        process = fork.Process(target=source(photos, kind).open, daemon=True)
        process.start()
        assert started.wait(LIMIT)
    process.kill()
    process.join(LIMIT)
    images = source(photos, kind)
    assert images.folder.building.exists()
    np.testing.assert_array_equal(images[3], ImageFiles.from_directory(photos)[3])
    assert not images.folder.building.exists()


def _open_slowly(photos: Path, kind: str, begin: Any, heard: Any, results: Any) -> None:
    """Whoever reads the images does so when the other one has said that it waits."""
    names: list[str] = []
    read = cached_images.read_image

    def slow(path: Path, *, channels: int) -> np.ndarray:
        names.append(Path(path).name)
        assert heard.wait(LIMIT)
        return read(path, channels=channels)

    cached_images.read_image = slow
    said: list[str] = []
    handler = logging.Handler()

    def emit(record: logging.LogRecord) -> None:
        said.append(record.getMessage())
        heard.set()

    handler.emit = emit  # type: ignore[method-assign]
    cache_folder.log.addHandler(handler)
    cache_folder.log.setLevel(logging.INFO)
    begin.wait()
    images = source(photos, kind)
    total = int(images[0].sum())
    begin.wait()
    results.put((len(names), said, total))


@pytest.mark.parametrize("kind", ["disk", "ram"])
def test_of_two_processes_one_builds_and_the_other_waits(
    photos: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_folder, "PATIENCE", 0.1)
    monkeypatch.setattr(cached_images, "_cores", lambda: 1)
    begin, heard, results = fork.Barrier(2, timeout=LIMIT), fork.Event(), fork.Queue()
    arguments = (photos, kind, begin, heard, results)
    processes = [fork.Process(target=_open_slowly, args=arguments, daemon=True) for _ in range(2)]
    for process in processes:
        process.start()
    (waited, said, total), (read, silent, same) = sorted(results.get(timeout=LIMIT) for _ in processes)
    for process in processes:
        process.join(LIMIT)
    assert (waited, read) == (0, 4)
    assert total == same == ImageFiles.from_directory(photos)[0].sum()
    assert len(said) == 1
    assert "waiting for another process that is reading the images into" in said[0]
    assert not silent


def test_too_little_room_is_said_before_anything_is_written(
    photos: Path, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    source(photos).open()
    before = source(photos).folder.pixels.read_bytes()
    write_png(photos / "new.png", picture(500, 700))
    usage = type("usage", (), {"free": 10_000})
    reads.clear()
    with monkeypatch.context() as patch:
        patch.setattr(cache_folder.shutil, "disk_usage", lambda path: usage)
        with pytest.raises(
            OSError,
            match=r"data\.cache=disk: the 5 images of .*photos need 1\.1 MB in .*, where 0\.0 MB are free; delete"
            r" .*pixels \(0\.1 MB, of before the files changed\), take another data\.cache_dir or data\.cache=none",
        ):
            source(photos).open()
        with pytest.raises(
            OSError, match=r"data\.cache=ram: the 5 images of .* are free; take data\.cache=disk$"
        ):
            source(photos, "ram").open()
    assert not reads
    assert source(photos).folder.pixels.read_bytes() == before
    monkeypatch.setattr(cache_folder, "free_memory", lambda device: 10_000)
    with pytest.raises(OSError, match=r"need 1\.1 MB in .*, where 0\.0 MB are free; take data\.cache=disk$"):
        source(photos, "ram").open()
    assert list(cache_folder.SHARED_MEMORY.iterdir()) == []


def test_a_disk_that_fills_up_meanwhile(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pixel_file.os, "pwrite", full)
    with pytest.raises(
        OSError, match=r"data\.cache=disk: no space is left in .*take another data\.cache_dir"
    ):
        source(photos).open()
    assert not source(photos).folder.path.exists()


def test_a_directory_that_cannot_be_written_to_is_named(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    data = folder(photos, "disk", cache_dir=str(tmp_path / "file"))
    with pytest.raises(OSError, match=r"data\.cache=disk: .*file.* cannot be written to \(Not a directory\)"):
        data.train_dataloader()


@pytest.mark.parametrize(
    ("kind", "cache_dir", "message"),
    [
        ("shm", None, r"data\.cache='shm': choose one of none, disk, ram"),
        ("ram", "here", r"data\.cache_dir=here is where data\.cache=disk keeps images, and data\.cache=ram"),
        (
            "none",
            "here",
            r"data\.cache_dir=here is where data\.cache=disk keeps images, and data\.cache=none",
        ),
    ],
)
def test_mistakes_are_named(photos: Path, kind: str, cache_dir: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        folder(photos, kind, cache_dir=cache_dir)


def test_a_machine_without_shared_memory(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_folder, "SHARED_MEMORY", tmp_path / "missing")
    with pytest.raises(ValueError, match=r"data\.cache=ram: .*missing; take data\.cache=disk"):
        folder(photos, "ram")


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
        assert len(source(photos).unreadable) == 4
        stale = source(photos)
        with pytest.raises(UnreadableImageError, match=r"a\.png: Input/output error"):
            stale[0]
    assert source(photos).unreadable == []
    assert source(photos)[0].shape == (64, 72, 3)


# Processes


def test_a_pickle_has_no_pixels(tmp_path: Path) -> None:
    for number in range(4):
        write_png(tmp_path / "large" / f"{number}.png", picture(200, 300, seed=number))
    images = source(tmp_path / "large", "ram")
    expected = images[1].copy()
    images.settle()  # the name is gone
    data = pickle.dumps(images)
    assert len(data) < 3000
    np.testing.assert_array_equal(pickle.loads(data)[1], expected)


def test_a_replaced_file_is_not_taken_for_the_one_that_was_pickled(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = source(photos)
    pixels = images.open()
    reopen, (places, device, inode) = pixels.__reduce__()
    os.utime(photos / "a.png", ns=(5, 5))
    source(photos).open()
    with pytest.raises(RuntimeError, match=r"pixels was replaced while this run began: start it again"):
        reopen(places[1:], device, inode)


def mapped(path: Path) -> bool:
    """Whether this process has the file in its memory."""
    return str(path) in Path("/proc/self/maps").read_text()


class Probe(torch.utils.data.Dataset[tuple[int, bool]]):
    """Sums of images, and whether the worker has them from the map."""

    def __init__(self, images: CachedImages) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[int, bool]:
        return int(self.images[index].sum()), mapped(self.images.folder.pixels)


@pytest.mark.parametrize(("context", "kind"), [("fork", "disk"), ("fork", "ram"), ("spawn", "ram")])
def test_workers_map_the_same_file(photos: Path, context: str, kind: str) -> None:
    images = source(photos, kind)
    images.settle()
    loader: DataLoader[Any] = DataLoader(
        Probe(images), batch_size=None, num_workers=1, multiprocessing_context=context
    )
    files = ImageFiles.from_directory(photos)
    assert list(loader) == [[int(files[number].sum()), True] for number in range(4)]


# Shared memory


def leftovers(memory: Path) -> list[str]:
    return [path.name for path in memory.rglob("*")]


def test_shared_memory_has_no_name_while_training(photos: Path, memory: Path) -> None:
    """So nothing is left of it, whatever ends the process."""
    data = folder(photos, "ram")
    data.prepare_data()
    data.setup("fit")
    (held,) = memory.iterdir()
    assert held.name.startswith(f"sr-lightning-{os.getuid()}-photos-")
    assert held.stat().st_mode & 0o777 == 0o700
    loader = data.train_dataloader()
    assert leftovers(memory) == []
    assert_same(list(loader), batches(folder(photos, "none")))
    assert_same(batches(data), batches(folder(photos, "none")))
    assert leftovers(memory) == []


def test_another_process_shares_what_the_first_has_read(photos: Path, reads: list[str]) -> None:
    first, second = source(photos, "ram"), source(photos, "ram")
    first.open()
    second.open()
    assert len(reads) == 4
    first.settle()
    second.settle()
    np.testing.assert_array_equal(first[0], second[0])


def test_settling_leaves_the_memory_of_a_later_run_alone(photos: Path, reads: list[str]) -> None:
    first, rank = source(photos, "ram"), source(photos, "ram")
    first.open()
    rank.open()
    first.settle()
    later = source(photos, "ram")
    later.open()
    rank.settle()
    assert later.folder.pixels.exists()


def test_a_run_that_fails_early_leaves_nothing(photos: Path, memory: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from sr.data.cache import folder as cache_folder
from sr.data.cache.cached_images import cached
from sr.data.sources import ImageFiles
cache_folder.SHARED_MEMORY = Path({str(memory)!r})
images = cached(ImageFiles.from_directory({str(photos)!r}), cache="ram", cache_dir=None)
images.open()
print([path.name for path in Path({str(memory)!r}).rglob("pixels")])
raise KeyboardInterrupt
"""
    done = run_program("-c", program)
    assert done.stdout.strip() == "['pixels']"
    assert "KeyboardInterrupt" in done.stderr
    assert leftovers(memory) == []


def _open_and_hold(photos: Path, ready: Any) -> None:
    images = source(photos, "ram")
    images.open()
    ready.set()
    threading.Event().wait()
    images.settle()


def test_what_a_killed_run_left_is_removed_and_what_is_in_use_is_not(
    photos: Path, tmp_path: Path, memory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_png(tmp_path / "other" / "a.png", picture(40, 40))
    ready = fork.Event()
    process = fork.Process(target=_open_and_hold, args=(photos, ready), daemon=True)
    process.start()
    assert ready.wait(LIMIT)
    other = source(tmp_path / "other", "ram")
    other.open()
    assert len(list(memory.rglob("pixels"))) == 2  # in use, so left alone
    process.kill()
    process.join(LIMIT)
    other.settle()
    assert len(list(memory.rglob("pixels"))) == 1
    source(tmp_path / "other", "ram").settle()
    assert leftovers(memory) == []
    assert "removed 0.1 MB in " in caplog.text


# Lightning


class Hooks(L.LightningModule):
    """Notes in which order things happen."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Linear(1, 1)
        self.seen: list[torch.Tensor] = []

    def training_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
        self.seen.append(batch["hr"])
        return self.net(batch["lr"].mean().view(1, 1)).sum()

    def validation_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> None: ...

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[L.Trainer]:
    yield L.Trainer(
        accelerator="cpu",
        devices=1,
        max_steps=4,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )


def test_validation_needs_no_cache(photos: Path, trainer: L.Trainer, reads: list[str]) -> None:
    trainer.validate(Hooks(), datamodule=folder(photos, "disk"), verbose=False)
    assert not reads
    module = Hooks()
    trainer.fit(module, datamodule=folder(photos, "disk"))
    assert len(reads) == 4
    expected = [batch["hr"] for batch in batches(folder(photos, "none"))]
    assert all(torch.equal(a, b) for a, b in zip(module.seen, expected, strict=True))


def test_an_unreadable_file_ends_the_run_before_it_begins(photos: Path, trainer: L.Trainer) -> None:
    (photos / "b.png").write_bytes((photos / "b.png").read_bytes()[:-300])
    module = Hooks()
    with pytest.raises(UnreadableImageError, match=r"b\.png"):
        trainer.fit(module, datamodule=folder(photos, "disk", val_dir=None))
    assert not module.seen


def test_a_sample_of_a_cached_set_by_hand(photos: Path) -> None:
    """Without a loader nobody has opened the cache."""
    patches = folder(photos, "ram")._training
    assert isinstance(patches, SynthesizedPatches)
    assert patches[Draw(image=1, seed=(0, 0))]["hr"].shape == (3, 32, 32)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["disk", "ram"])
def test_two_processes_train_on_one_cache(photos: Path, tmp_path: Path, kind: str) -> None:
    def trained(kind: str) -> str:
        done = run_program(
            *("train.py", "experiment=quickstart", "data=folder", f"data.train_dir={photos}"),
            *(f"data.val_dir={photos}", f"data.cache={kind}", "data.hr_patch_size=32", "data.num_workers=1"),
            *("generator.num_feat=8", "generator.num_conv=2", "discriminator.num_feat=4", "logger=csv"),
            *(
                "data.batch_size=2",
                "data.iterations_per_epoch=3",
                "trainer.max_steps=3",
                "trainer.max_epochs=1",
            ),
            *("trainer.accelerator=cpu", "trainer.devices=2", f"hydra.run.dir={tmp_path / f'run_{kind}'}"),
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("reading 4 of 4 images") == (kind != "none")
        return (tmp_path / f"run_{kind}" / "metrics.csv").read_text()

    before = set(Path("/dev/shm").iterdir())
    assert trained(kind) == trained("none")
    assert not [path for path in set(Path("/dev/shm").iterdir()) - before if "sr-lightning" in path.name]


def test_a_directory_that_cannot_be_made_is_not_waited_for(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As below /proc, which says that there is no such directory when it is asked to make one."""
    data = folder(photos, "disk", cache_dir=str(photos / "cache"))

    def refuse(path: Path, *args: Any, **options: Any) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OSError, match=r"data\.cache=disk: .*cache.* cannot be written to \(No such file"):
        batches(data)
