"""Files that appear complete or not at all, whatever happens while they are written."""

import hashlib
import logging
import os
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sr.ops.file_lock import is_at, lock

log = logging.getLogger(__name__)

UNFINISHED = ".part"
HOUR = 3600.0  # seconds after which an unlocked file of another machine counts as abandoned


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place when it is complete and on the disk, and is removed otherwise.

    Raises:
        OSError: for example, the disk is full or the folder is read-only; the old file stays.
    """
    unfinished = unfinished_name(path)
    try:
        with _locked(unfinished) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        if error.filename != str(unfinished):
            raise
        raise OSError(
            error.errno, error.strerror, str(path)
        ) from error  # so that the error has the name that the user knows
    finally:
        with suppress(FileNotFoundError, NotADirectoryError):  # it was never created
            unfinished.unlink()


def unfinished_name(path: Path) -> Path:
    """A name beside `path` that only this process of this machine uses, for a file or a folder."""
    return path.with_name(f".{path.name}.{_machine()}-{os.getpid()}{UNFINISHED}")


def _locked(unfinished: Path) -> BinaryIO:
    """Create and lock a file. Without locks, no process can hold one, and none removes the file."""
    while True:
        file: BinaryIO = unfinished.open("wb")
        try:
            lock(file, wait=True)  # `remove_abandoned` of another process holds it for a moment
        except OSError:
            return file
        if is_at(file, unfinished):
            return file
        file.close()  # that process has removed it, since it was not locked yet


@contextmanager
def at_work_on(unfinished: Path) -> Iterator[bool]:
    """Lock a file or folder of that name; False when another process has locked it, or without locks."""
    try:
        descriptor = os.open(unfinished, os.O_RDONLY if unfinished.is_dir() else os.O_RDWR)
    except OSError:  # a folder on Windows, or a file of another user, cannot be opened
        yield False
        return
    try:
        locked = lock(descriptor)
    except OSError:
        locked = False
    try:
        yield locked
    finally:
        os.close(descriptor)


def remove_unfinished(folder: Path) -> None:
    """Remove the unfinished files in a folder in which no other process writes."""
    for path in folder.glob(f".*{UNFINISHED}"):
        _remove(path)


def remove_abandoned(folder: Path) -> None:
    """Remove the unfinished files of killed processes in a folder in which others may write, even from other machines.

    A process that writes has locked its file, so a reused process id does not matter. On some network file systems a
    machine does not see the locks of others: their files are removed an hour after they were last written.
    """
    for path in folder.glob(f".*{UNFINISHED}"):
        with suppress(FileNotFoundError):  # it was finished in the meantime
            if _is_abandoned(path):
                log.info("removed %s, which a killed process had left", path)
                _remove(path)


def _is_abandoned(path: Path) -> bool:
    ours = path.name.removesuffix(UNFINISHED).rpartition(".")[2].startswith(f"{_machine()}-")
    if not ours and time.time() - path.stat().st_mtime < HOUR:
        return False
    with at_work_on(path) as nobody_else:
        return nobody_else


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]
