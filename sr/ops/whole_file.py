"""Files that appear whole or not at all, whatever happens while they are written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

UNFINISHED = ".part"


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place when all is written and on the disk, and is removed otherwise.

    Raises:
        OSError: the disk is full, the folder is read-only, or the like; what was there before stays.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        with unfinished.open("wb") as file:
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


def remove_unfinished(folder: Path) -> None:
    """What a process left that was killed while it wrote."""
    for file in folder.glob(f".*{UNFINISHED}"):
        file.unlink(missing_ok=True)
