"""The image files of a folder."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger(__name__)

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


def list_images(directory: str | Path, *, suffixes: tuple[str, ...] = SUFFIXES) -> list[Path]:
    """Every image below `directory`, in linked folders too, sorted by path.

    A folder that several links lead to counts once: under its own path where it lies in the directory, else under the
    first link.

    Args:
        directory: the folder.
        suffixes: the endings of the files, in small letters.

    Raises:
        FileNotFoundError: the directory does not exist, or it has no image in it.
        NotADirectoryError: the path is a file.
    """
    root = Path(directory).expanduser()
    if not root.exists():
        raise FileNotFoundError(f"image directory {root} does not exist")
    if not root.is_dir():
        raise NotADirectoryError(f"image directory {root} is a file")
    paths = sorted(_below(root, suffixes))
    if not paths:
        raise FileNotFoundError(
            f"image directory {root} has no image in it; these endings are read: {', '.join(suffixes)}"
        )
    return paths


def _below(root: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """The images, with real folders before linked ones, so that a link never hides the path of its target."""
    links, seen = [root], set[tuple[int, int]]()
    while links:
        folders = [links.pop(0)]
        while folders:
            folder = folders.pop()
            found = folder.stat()
            if (found.st_dev, found.st_ino) in seen:
                continue
            seen.add((found.st_dev, found.st_ino))
            for entry in _entries(folder):
                path = folder / entry.name
                if entry.is_dir():
                    (links if entry.is_symlink() else folders).append(path)
                elif path.suffix.lower() in suffixes:
                    if entry.is_file():
                        yield path
                    else:
                        log.warning("skipped: %s is not a file, or a link that leads nowhere", path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except PermissionError as error:
        log.warning("skipped: folder %s cannot be opened (%s)", folder, error.strerror)
        return []
