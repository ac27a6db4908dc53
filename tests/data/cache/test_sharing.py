"""All processes map the same pixels, and nothing is left behind when they end."""

import logging
import multiprocessing
import os
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from caches import assert_same, folder, source
from helpers import picture, run_program
from processes import LIMIT
from small_data import batches
from torch.utils.data import DataLoader

from sr.data.cache.cached_images import CachedImages
from sr.data.sources import ImageFiles
from sr.pictures.writing import write_png

fork, spawn = multiprocessing.get_context("fork"), multiprocessing.get_context("spawn")


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
