"""Files that appear whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sr.ops.whole_file import at_work_on, remove_abandoned, unfinished_name


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A folder beside `target`. When the block succeeds, what is in it moves beside `target`; otherwise it is removed.

    A file replaces the one of its name; a folder moves only where none of its name is.

    Raises:
        OSError: the disk is full, the folder is read-only, or the like; what was there before stays.
    """
    folder = unfinished_name(target)
    if target.parent.is_dir():
        remove_abandoned(target.parent)
    try:
        folder.mkdir(parents=True)
        with at_work_on(folder):
            yield folder
        for file in sorted(folder.iterdir()):
            file.replace(target.with_name(file.name))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def naming(target: Path) -> Iterator[None]:
    """Errors of the disk name `target`, and not an unfinished file beside it, which the user does not know."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(target)) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write the file down to the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
