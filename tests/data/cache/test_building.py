"""A cache is whole or not there, whatever ends its building."""

import logging
import multiprocessing
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caches import hang_at, source
from helpers import picture
from processes import LIMIT

from sr.data.cache import cached_images
from sr.data.cache import folder as cache_folder
from sr.data.sources import ImageFiles

fork, spawn = multiprocessing.get_context("fork"), multiprocessing.get_context("spawn")


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
    monkeypatch.setattr(cached_images, "usable_cores", lambda: 1)
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
