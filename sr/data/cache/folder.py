"""The folder that keeps the pixels of a set of images, and how processes share it."""

import getpass
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import torch

from sr.data.cache.pixel_file import PixelFile
from sr.ops.file_lock import is_at, lock
from sr.ops.hardware import free_memory
from sr.ops.user_caches import user_caches

log = logging.getLogger(__name__)

VERSION = 1  # version of the pixels: raise it when `read_image` gives other pixels than before
SHARED_MEMORY = Path("/dev/shm")
PATIENCE = 2.0  # seconds after which a waiting process says that it waits


@dataclass(frozen=True)
class CacheFolder:
    """The folder of one set: the file `pixels`, the file `building` while they are decoded, and `lock`.

    Args:
        path: the folder.
        setting: the key and value that the user chose, as messages show them.
        temporary: whether the pixels vanish with the processes that use them.
    """

    path: Path
    setting: str
    temporary: bool

    @classmethod
    def on_disk(cls, root: Path, *, channels: int, cache_dir: str | None) -> "CacheFolder":
        """The folder for the images below `root`, among the user's caches unless `cache_dir` is given."""
        base = Path(cache_dir).expanduser() if cache_dir else user_caches()
        return cls(base / _set_name(root, channels), setting="data.cache=disk", temporary=False)

    @classmethod
    def in_memory(cls, root: Path, *, channels: int) -> "CacheFolder":
        """The folder for the images below `root` in shared memory.

        Raises:
            ValueError: this machine has no shared memory in its file system, as Linux has.
        """
        if not SHARED_MEMORY.is_dir():
            raise ValueError(f"data.cache=ram: this machine has no {SHARED_MEMORY}; take data.cache=disk")
        path = SHARED_MEMORY / f"{_prefix()}{_set_name(root, channels)}"
        return cls(path, setting="data.cache=ram", temporary=True)

    @property
    def pixels(self) -> Path:
        return self.path / "pixels"

    @property
    def building(self) -> Path:
        return self.path / "building"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process in at a time; another waits, and says so if it takes long.

        Raises:
            OSError: names the setting where the folder cannot be written to.
        """
        deadline = time.monotonic() + PATIENCE
        while (held := self._try_lock()) is None:
            if time.monotonic() > deadline:
                log.info(
                    "%s: waiting for another process that is reading the images into %s",
                    self.setting,
                    self.path,
                )
                deadline = float("inf")
            time.sleep(0.05)
        with held:
            try:
                yield
            finally:
                if not self.pixels.exists():
                    self._remove()

    def open(self) -> PixelFile | None:
        """The pixels; None where there is no complete file of them."""
        pixels = PixelFile.open(self.pixels)
        if pixels and self.temporary:
            # A process that sweeps now sees that they are in use; one that swept before has removed them.
            in_use = lock(pixels.file, shared=True)
            return pixels if in_use and pixels.is_at(self.pixels) else None
        return pixels

    def free(self) -> int:
        """The number of bytes that can be written. Call it under the lock."""
        free = shutil.disk_usage(self.path).free
        return min(free, free_memory(torch.device("cpu"))) if self.temporary else free

    def forget(self, pixels: PixelFile) -> None:
        """Remove the name of the pixels: they vanish with the last process that has them open, even if it is killed."""
        if pixels.is_at(self.pixels):
            with self.locked():
                if pixels.is_at(self.pixels):
                    self.pixels.unlink()

    def sweep(self) -> None:
        """Remove the temporary pixels of processes that were killed before they could call `forget`."""
        for path in self.path.parent.glob(f"{_prefix()}*"):
            other = replace(self, path=path)
            if path == self.path or (held := other._try_lock()) is None:
                continue
            with held:
                if not other._in_use():
                    size = sum(file.stat().st_size for file in path.iterdir())
                    other._remove()
                    log.info("removed %s in %s, which a killed run had left", gigabytes(size), path)

    def _in_use(self) -> bool:
        try:
            with self.pixels.open("rb") as file:
                return not lock(file)
        except FileNotFoundError:
            return False

    def _remove(self) -> None:
        for path in (self.pixels, self.building, self.path / "lock"):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # the next process may have entered it already
            self.path.rmdir()

    def _try_lock(self) -> BinaryIO | None:
        """The lock file, which holds the lock while it is open; None while another process has it."""
        name, made = self.path / "lock", False
        try:
            self.path.mkdir(mode=0o700 if self.temporary else 0o777, parents=True, exist_ok=True)
            made = True
            file: BinaryIO = name.open("ab")
        except OSError as error:
            if made and isinstance(error, FileNotFoundError):
                return None  # removed by another process between the two lines
            raise OSError(f"{self.setting}: {self.path} cannot be written to ({error.strerror})") from error
        try:
            if lock(file) and is_at(file, name):
                return file  # and not a file that was just removed
        except OSError as error:
            file.close()
            raise OSError(
                f"{self.setting}: the file system of {self.path} has no locks ({error.strerror}); take another"
                " data.cache_dir"
            ) from error
        file.close()
        return None


def gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def _prefix() -> str:
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()  # Windows has names alone
    return f"sr-lightning-{user}-"


def _set_name(root: Path, channels: int) -> str:
    """A name made of directory and channels, not of the files, so that added files leave the set the same."""
    root = root.resolve()
    digest = hashlib.sha256(f"{VERSION} {channels} {root}".encode()).hexdigest()
    return f"{root.name[:40]}-{digest[:16]}"
