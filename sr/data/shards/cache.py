"""Shards of object storage on the local disk: fetched whole, checked, and the least recently used removed."""

import hashlib
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sr.data.cache.folder import gigabytes
from sr.data.shards.index import Shard
from sr.data.shards.storage import FULL, ShardError, Storage
from sr.ops.file_lock import is_at, lock

log = logging.getLogger(__name__)

AHEAD = 2  # number of shards that are fetched before they are needed
ATTEMPTS = 3
PAUSE = 1.0  # seconds before the second attempt, and twice as many before the third


class ShardCache:
    """A folder that the processes of a machine share, and that never holds more than `limit` bytes of shards.

    A shard has its name there only when it is complete and its checksum is right. While it is fetched, two files exist:
    `.part` receives the bytes, and `.lock` is locked by the process that fetches and as long as the shard will be, so
    that others count its room as taken. Files of a killed process are no longer locked, and are removed.

    Args:
        folder: the directory, which is made when it is first needed.
        storage: the object store that the shards come from.
        limit: the largest size of all shards together, in bytes.
    """

    def __init__(self, folder: Path, *, storage: Storage, limit: int) -> None:
        self.folder = folder
        self.storage = storage
        self.limit = limit

    def open(self, shard: Shard) -> BinaryIO:
        """Open a shard for reading; it is fetched first where it is missing, or was removed by another process.

        Raises:
            FileNotFoundError: the shard does not exist in the storage.
            ShardError: it cannot be fetched, or differs from what the index says.
            OSError: there is not enough room for it.
        """
        path = self.path(shard)
        while True:
            try:
                file: BinaryIO = path.open("rb")
            except FileNotFoundError:
                self.fetch(shard, wait=True)
                continue
            with suppress(FileNotFoundError):
                os.utime(path)  # marks it as the most recently used
            return file

    def path(self, shard: Shard) -> Path:
        # The name includes the checksum, since shards that are packed again under old names are other shards.
        return self.folder / f"{shard.sha256[:16]}-{shard.name}"

    def fetch(self, shard: Shard, *, wait: bool) -> None:
        """Fetch a shard into the folder. Without `wait`, only if no other process does so and there is room for it."""
        path = self.path(shard)
        part, lock = _beside(path, ".part"), _beside(path, ".lock")
        with self._claim(lock, wait=wait) as claim:
            if claim is None or path.exists():
                return
            while not self._make_room(shard, claim):
                if not wait:
                    return
                time.sleep(0.05)  # until the shards of others are complete and can be removed
            try:
                self._download(shard, part)
                part.rename(path)
            finally:
                part.unlink(missing_ok=True)

    def _download(self, shard: Shard, part: Path) -> None:
        for attempt in range(ATTEMPTS):
            try:
                self.storage.download(shard.name, part)
                return self._check(shard, part)
            except ShardError as error:
                if attempt + 1 == ATTEMPTS:
                    raise ShardError(f"{error}; tried {ATTEMPTS} times") from error
                log.info("%s; trying again", error)
                time.sleep(PAUSE * 2**attempt)
            except OSError as error:
                if error.errno not in FULL:
                    raise
                raise OSError(
                    f"no space is left in {self.folder} for {self.storage.url}/{shard.name}: take another"
                    " data.cache_dir or a smaller data.cache_gb"
                ) from error

    def _check(self, shard: Shard, part: Path) -> None:
        place = f"{self.storage.url}/{shard.name}"
        if (size := part.stat().st_size) != shard.bytes:
            raise ShardError(f"{place} arrived with {size} bytes where the index says {shard.bytes}")
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != shard.sha256:
            raise ShardError(
                f"{place} has the SHA-256 {digest[:16]}... where the index says {shard.sha256[:16]}..."
            )

    @contextmanager
    def _claim(self, path: Path, *, wait: bool) -> Iterator[BinaryIO | None]:
        """The lock file at `path`, locked; None when another process holds it and we do not wait."""
        while True:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                file: BinaryIO = path.open("ab")
            except OSError as error:
                raise OSError(
                    f"data.cache_dir: {self.folder} cannot be written to ({error.strerror})"
                ) from error
            with file:
                if not _lock(file, wait=wait):
                    yield None
                    return
                if not is_at(file, path):
                    continue  # the process that held it has finished and removed it
                try:
                    yield file
                finally:
                    path.unlink(missing_ok=True)
                return

    def _make_room(self, shard: Shard, claim: BinaryIO) -> bool:
        """Remove shards until this one fits, and reserve its room; False when shards being fetched leave none."""
        with (self.folder / "room").open("ab") as room:
            _lock(room, wait=True)
            os.truncate(claim.fileno(), 0)  # the room that a killed process had reserved for this shard
            self._sweep()
            held = {path: _stat(path) for path in self.folder.iterdir() if path.suffix != ".part"}
            shards = sorted((path for path in held if path.suffix == ".tar"), key=lambda path: held[path][1])
            spare = self.limit - sum(size for size, _ in held.values()) - shard.bytes
            for path in shards:
                if spare >= 0:
                    break
                path.unlink(missing_ok=True)  # a process that has it open can still read it
                spare += held[path][0]
            if spare < 0:
                return False
            os.truncate(claim.fileno(), shard.bytes)  # takes no space on the disk
            return True

    def _sweep(self) -> None:
        """Remove the files of killed processes."""
        for part in self.folder.glob("*.part"):
            if not part.with_suffix(".lock").exists():
                part.unlink(missing_ok=True)
        for path in self.folder.glob("*.lock"):
            with suppress(FileNotFoundError), path.open("rb") as file:
                if _lock(file, wait=False) and is_at(file, path):
                    path.with_suffix(".part").unlink(missing_ok=True)
                    path.unlink(missing_ok=True)


def check_limit(shards: Sequence[Shard], *, shards_at_once: int, limit: int) -> None:
    """Raises ValueError when the shards in use at the same time would push each other out of the cache."""
    largest = sorted((shard.bytes for shard in shards), reverse=True)[: shards_at_once + 1 + AHEAD]
    if sum(largest) > limit:
        raise ValueError(
            f"data.cache_gb={limit / 1e9:g}: data.shards_at_once={shards_at_once}, one that ends and the next"
            f" {AHEAD} have up to {gigabytes(sum(largest))}; take a larger data.cache_gb or fewer at once"
        )


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _stat(path: Path) -> tuple[int, int]:
    """The size in bytes and the time of the last use."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _lock(file: BinaryIO, *, wait: bool) -> bool:
    """Lock a file for as long as it is open; False when another process holds it and we do not wait."""
    try:
        return lock(file, wait=wait)
    except OSError as error:
        raise OSError(
            f"the file system of {file.name} has no locks ({error.strerror or error}); take another data.cache_dir"
        ) from error
