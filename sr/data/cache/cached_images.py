"""Image files that are decoded once, into one file that every process maps into memory."""

import errno
import logging
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Literal, get_args

import numpy as np
from tqdm import tqdm

from sr.data.cache.folder import CacheFolder, gigabytes
from sr.data.cache.pixel_file import Entry, PixelFile, write_pixel_file
from sr.data.sources import ImageFiles, ImageSource
from sr.ops.cores import usable_cores
from sr.pictures.picture import UnreadableImageError
from sr.pictures.reading import read_header, read_image

log = logging.getLogger(__name__)

Cache = Literal["none", "disk", "ram"]


def cached(files: ImageFiles, *, cache: str, cache_dir: str | None) -> ImageSource:
    """Put a cache in front of image files; `none` returns the files themselves.

    Raises:
        ValueError: the kind of cache is unknown, or this machine does not support it.
    """
    if cache not in get_args(Cache):
        raise ValueError(f"data.cache={cache!r}: choose one of {', '.join(get_args(Cache))}")
    if cache_dir and cache != "disk":
        raise ValueError(
            f"data.cache_dir={cache_dir} is where data.cache=disk keeps images, and data.cache={cache}"
        )
    if cache == "none":
        return files
    if cache == "ram":
        return CachedImages(files, folder=CacheFolder.in_memory(files.root, channels=files.channels))
    return CachedImages(
        files, folder=CacheFolder.on_disk(files.root, channels=files.channels, cache_dir=cache_dir)
    )


class CachedImages:
    """The images of the files, as read-only views into mapped memory.

    Args:
        files: the image files. A file that cannot be read raises the same error as without a cache.
        folder: the place where their pixels are kept.
    """

    def __init__(self, files: ImageFiles, *, folder: CacheFolder) -> None:
        self.files = files
        self.folder = folder
        self._pixels: PixelFile | None = None
        # An array and not objects: writing their reference counts would give every worker its own copy of the pages.
        self._table = np.empty((0, 4), np.int64)
        self._kinds = ""
        self._errors: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> np.ndarray:
        pixels = self.open()
        if index in self._errors:
            raise UnreadableImageError(self._errors[index])
        offset, height, width, itemsize = self._table[index].tolist()
        return pixels.image(
            offset=offset,
            height=height,
            width=width,
            channels=self.files.channels,
            itemsize=itemsize,
            kind=self._kinds[index],
        )

    def name(self, index: int) -> str:
        return self.files.name(index)

    def size(self, index: int) -> tuple[int, int]:
        """(height, width): see `ImageFiles.size`."""
        return self.files.size(index)

    def nodata(self, index: int) -> float | None:
        """See `ImageFiles.nodata`."""
        return self.files.nodata(index)

    def listing(self) -> list[str]:
        return self.files.listing()

    def open(self) -> PixelFile:
        """Map the pixels, after decoding the files that are new or changed; a second call does nothing.

        Raises:
            OSError: there is not enough room for the pixels, or the folder cannot be written to.
        """
        if self._pixels is None:
            paths = {path.relative_to(self.files.root).as_posix(): path for path in self.files.paths}
            pixels = self._find().complete(paths) or self._make(paths)
            index = pixels.index()
            entries = [index[name] for name in paths]
            self._table = np.array([(e.offset, e.height, e.width, e.itemsize) for e in entries], np.int64)
            self._kinds = "".join(e.kind for e in entries)
            self._errors = {number: e.error for number, e in enumerate(entries) if e.error is not None}
            self._pixels = pixels
            if self.folder.temporary:
                weakref.finalize(self, self.folder.forget, pixels)
        return self._pixels

    def settle(self) -> None:
        """Call this when all processes that share temporary pixels have opened them: nothing is left behind then."""
        pixels = self.open()
        if self.folder.temporary:
            self.folder.forget(pixels)

    @property
    def unreadable(self) -> list[str]:
        """The errors of the files that cannot be read, which are known once the cache is open."""
        return list(self._errors.values())

    def _find(self) -> "Found":
        """The content of the folder, and which of it is up to date. Needs no lock and writes nothing."""
        pixels = self.folder.open()
        index = pixels.index() if pixels else {}
        # Files that this run does not ask for are kept too, so that two runs with different files do not compete.
        kept = {
            name: entry for name, entry in index.items() if self._is_current(self.files.root / name, entry)
        }
        return Found(pixels=pixels, index=index, kept=kept)

    def _make(self, paths: Mapping[str, Path]) -> PixelFile:
        with self.folder.locked():
            if self.folder.temporary:
                self.folder.sweep()
            found = self._find()  # another process may have decoded them meanwhile
            if pixels := found.complete(paths):
                return pixels
            self._build(paths, found)
            made = self.folder.open()
        assert made is not None
        return made

    def _is_current(self, path: Path, entry: Entry) -> bool:
        if _stamp(path) != (entry.bytes, entry.modified):
            return False
        if entry.error is None:
            return True
        try:  # perhaps the network failed
            read_image(path, channels=self.files.channels)
        except UnreadableImageError:
            return True
        return False

    def _build(self, paths: Mapping[str, Path], found: "Found") -> None:
        old, kept = found.pixels, found.kept
        folder, root, channels = self.folder, self.files.root, self.files.channels
        names = sorted(paths.keys() | kept.keys())
        new = [name for name in names if name not in kept]
        self._check_room(new, kept)

        def read(name: str) -> np.ndarray:
            entry = kept.get(name)
            if old is None or entry is None:
                return read_image(root / name, channels=channels)
            if entry.error is not None:
                raise UnreadableImageError(entry.error)
            return old.image(
                offset=entry.offset,
                height=entry.height,
                width=entry.width,
                channels=channels,
                itemsize=entry.itemsize,
                kind=entry.kind,
            )

        def stamp(name: str) -> tuple[int, int]:
            entry = kept.get(name)
            return _stamp(root / name) if entry is None else (entry.bytes, entry.modified)

        began = perf_counter()
        reading = f"reading {len(new)} of {len(names)} images of {root} into {folder.path}"
        log.info("%s: %s%s", folder.setting, reading, found.changes(paths))
        try:
            done = write_pixel_file(folder.building, names, stamp=stamp, read=read, threads=usable_cores())
            for _ in tqdm(done, total=len(names), unit="image", desc="caching", leave=False, disable=None):
                pass
            folder.building.rename(folder.pixels)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise OSError(f"{folder.setting}: no space is left in {folder.path}; {self._remedy()}") from error
        finally:
            folder.building.unlink(missing_ok=True)
        size = folder.pixels.stat().st_size
        log.info("%s: %s in %.1f s", folder.setting, gigabytes(size), perf_counter() - began)

    def _check_room(self, new: list[str], kept: Mapping[str, Entry]) -> None:
        """Check the free space before anything is written. Raises OSError."""
        channels = self.files.channels
        self.folder.building.unlink(missing_ok=True)  # left by a killed process
        needed = sum(entry.height * entry.width * channels * entry.itemsize for entry in kept.values())
        needed += sum(_decoded_size(self.files.root / name, channels) for name in new)
        free = self.folder.free()
        if needed > free:
            raise OSError(
                f"{self.folder.setting}: the {len(new) + len(kept)} images of {self.files.root} need"
                f" {gigabytes(needed)} in {self.folder.path}, where {gigabytes(free)} are free; {self._remedy()}"
            )

    def _remedy(self) -> str:
        if self.folder.temporary:
            return "take data.cache=disk"
        held = self.folder.pixels.stat().st_size if self.folder.pixels.exists() else 0
        older = (
            f"delete {self.folder.pixels} ({gigabytes(held)}, of before the files changed), " if held else ""
        )
        return f"{older}take another data.cache_dir or data.cache=none"


@dataclass(frozen=True)
class Found:
    """The pixels, their index, and the entries whose files have not changed."""

    pixels: PixelFile | None
    index: Mapping[str, Entry]
    kept: Mapping[str, Entry]

    def complete(self, paths: Mapping[str, Path]) -> PixelFile | None:
        """The pixels if they hold exactly the files that are there, unchanged; otherwise None."""
        return self.pixels if len(self.kept) == len(self.index) and paths.keys() <= self.kept.keys() else None

    def changes(self, paths: Mapping[str, Path]) -> str:
        """The reason why the pixels cannot be used as they are."""
        if self.pixels is None:
            return ""
        changed = len(paths.keys() & self.index.keys() - self.kept.keys())
        removed = len(self.index) - len(self.kept) - changed
        added = len(paths.keys() - self.index.keys())
        return f" ({added} new, {changed} changed, {removed} removed since it was made)"


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (-1, -1)  # no file has this size, and reading will report the error
    return found.st_size, found.st_mtime_ns


def _decoded_size(path: Path, channels: int) -> int:
    """The size of the decoded pixels in bytes, from the header; 0 for a file that cannot be read."""
    try:
        header = read_header(path)
    except UnreadableImageError:
        return 0
    return header.height * header.width * channels * header.depth
