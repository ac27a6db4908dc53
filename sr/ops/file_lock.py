"""Locks of the operating system on files, which end with the process that holds them, however it ends."""

import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

log = logging.getLogger(__name__)

IN_USE = ".in-use"


class InUseError(RuntimeError):
    """Another process is using the folder."""


def lock(file: IO[Any] | int, *, shared: bool = False, wait: bool = False) -> bool:
    """Lock an open file, or its descriptor, until it is closed; False when another process holds it and we do not wait.

    Raises:
        OSError: the file system or the operating system has no such locks.
    """
    try:
        import fcntl
    except ModuleNotFoundError as error:
        raise OSError(f"{platform.system()} has no locks of this kind") from error
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def is_at(file: IO[Any], path: Path) -> bool:
    """Whether this is still the file at `path`, and not one that has been removed."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


@contextmanager
def alone_in(folder: Path, *, key: str) -> Iterator[None]:
    """Hold a folder alone. It is made if it does not exist, and removed again if it stays empty.

    Without locks, a warning says that nothing keeps other processes out.

    Args:
        folder: the directory of a run or of a sweep.
        key: the key by which the user chose the directory, as messages show it.

    Raises:
        InUseError: another process uses the folder; the message names it.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / IN_USE
    file = _claim(path, key=key)
    try:
        yield
    finally:
        if file is not None:
            path.unlink(missing_ok=True)
            file.close()
        if made:
            with suppress(OSError):  # usually it is not empty
                folder.rmdir()


def _claim(path: Path, *, key: str) -> IO[str] | None:
    """Create and lock the file at `path`, which names this process; None where there are no locks."""
    while True:
        file = path.open("a+")
        try:
            locked = lock(file)
        except OSError as error:
            file.close()
            log.warning("%s=%s: nothing keeps a second process out of it (%s)", key, path.parent, error)
            return None
        if not locked:
            with file:
                file.seek(0)
                owner = file.read() or "another process"
            raise InUseError(
                f"{key}={path.parent} is in use by {owner}: wait until that has ended, stop it, or take another {key}"
            )
        if is_at(file, path):
            break
        file.close()  # the process that held it has removed it
    file.truncate(0)
    file.write(f"process {os.getpid()} on {platform.node()}")
    file.flush()
    return file
