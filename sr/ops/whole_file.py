"""Files that appear whole or not at all, whatever happens while they are written."""

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
HOUR = 3600.0  # seconds


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place when all is written and on the disk, and is removed otherwise.

    Raises:
        OSError: the disk is full, the folder is read-only, or the like; what was there before stays.
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
        raise OSError(error.errno, error.strerror, str(path)) from error  # the name that the user knows
    finally:
        with suppress(FileNotFoundError, NotADirectoryError):  # it never was there
            unfinished.unlink()


def unfinished_name(path: Path) -> Path:
    """Beside `path`, of this process of this machine alone; for a file, or a folder of several."""
    return path.with_name(f".{path.name}.{_machine()}-{os.getpid()}{UNFINISHED}")


def _locked(unfinished: Path) -> BinaryIO:
    """The file, new and locked; where there are no locks nobody can have one, and nobody removes it."""
    while True:
        file: BinaryIO = unfinished.open("wb")
        try:
            lock(file, wait=True)  # `remove_abandoned` of another process has it for a moment
        except OSError:
            return file
        if is_at(file, unfinished):
            return file
        file.close()  # and has removed it, since it was not locked yet


@contextmanager
def at_work_on(unfinished: Path) -> Iterator[bool]:
    """Lock a file or folder of that name; False where another process has, or where there are no such locks."""
    try:
        descriptor = os.open(unfinished, os.O_RDONLY if unfinished.is_dir() else os.O_RDWR)
    except OSError:  # a folder on Windows, or a file of another user
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
    """What was left unfinished in a folder in which no other process writes."""
    for path in folder.glob(f".*{UNFINISHED}"):
        _remove(path)


def remove_abandoned(folder: Path) -> None:
    """What killed processes left unfinished in a folder in which others may be writing, also from other machines.

    Who writes has locked the file, so a process id that is in use again says nothing. Some network file systems keep
    the locks of a machine from the others: what another machine began is removed an hour after it was last written.
    """
    for path in folder.glob(f".*{UNFINISHED}"):
        with suppress(FileNotFoundError):  # finished meanwhile
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
