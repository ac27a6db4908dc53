"""Decoded images in one file that is mapped into memory: a process reads the pages of its crop and nothing else.

The file is pixels, then an index as JSON, then a trailer that only a whole file has. It is never changed: a new one
takes its place by a rename, so who reads the old one goes on reading it.
"""

import json
import mmap
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import numpy as np

from sr.pictures.picture import UnreadableImageError

MAGIC = b"srpixel2"  # another number where the same files give other pixels than before
TRAILER = struct.Struct("<Q8s")  # bytes of the index, MAGIC
ALIGNMENT = 64


@dataclass(frozen=True)
class Entry:
    """An image file as it was when it was read, and where its pixels lie.

    Args:
        bytes, modified: size and time stamp (nanoseconds) of the image file.
        offset: the position of the first pixel in the file, in bytes.
        height, width: the size of the image in pixels.
        itemsize: the bytes of a sample: 1 for uint8, 2 for uint16.
        error: why the image file cannot be read; it has no pixels then.
    """

    bytes: int
    modified: int
    offset: int = 0
    height: int = 0
    width: int = 0
    itemsize: int = 1
    error: str | None = None


class PixelFile:
    """An open file of pixels. Pickled it is opened again in the other process, without a copy of a pixel.

    Args:
        file: the file, of which the whole is mapped.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @classmethod
    def open(cls, path: Path) -> "PixelFile | None":
        """None where there is no file that can be read, or one that is not whole."""
        try:
            file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None
        if _index_bytes(file) is None:
            file.close()
            return None
        return cls(file)

    def index(self) -> dict[str, Entry]:
        """The entries by the name of their image."""
        length = _index_bytes(self.file)
        assert length is not None
        end = len(self._map) - TRAILER.size
        return {name: Entry(*values) for name, values in json.loads(self._map[end - length : end]).items()}

    def image(self, *, offset: int, height: int, width: int, channels: int, itemsize: int) -> np.ndarray:
        """(height, width, channels) uint8 or uint16, a view that cannot be written to."""
        return np.ndarray((height, width, channels), f"=u{itemsize}", buffer=self._map, offset=offset)

    def is_at(self, path: Path) -> bool:
        """Whether `path` is this very file, and not one that has taken its place."""
        try:
            return os.path.samestat(path.stat(), os.fstat(self.file.fileno()))
        except FileNotFoundError:
            return False

    def __reduce__(self) -> tuple[Callable[..., "PixelFile"], tuple[list[Path], int, int]]:
        found = os.fstat(self.file.fileno())
        # The first finds the file even where its name is gone; only Linux has it.
        places = [Path(f"/proc/{os.getpid()}/fd/{self.file.fileno()}"), Path(self.file.name)]
        return _reopen, (places, found.st_dev, found.st_ino)


def expect_rows(image: np.ndarray, top: int, bottom: int) -> None:
    """Have the system read these rows from disk at once and not, as they are touched, one page after the other.

    Does nothing for an image that is no view into a `PixelFile`, or is in memory already.
    """
    pixels: object = image
    while isinstance(pixels, np.ndarray):
        pixels = pixels.base
    if not isinstance(pixels, mmap.mmap):
        return
    begin = image.ctypes.data - np.frombuffer(pixels, np.uint8).ctypes.data
    first = begin + max(top, 0) * image.strides[0]
    last = begin + min(bottom, image.shape[0]) * image.strides[0]
    first -= first % mmap.PAGESIZE
    pixels.madvise(mmap.MADV_WILLNEED, first, last - first)


def _reopen(places: Sequence[Path], device: int, inode: int) -> PixelFile:
    for place in places:
        try:
            file = place.open("rb")
        except OSError:
            continue
        found = os.fstat(file.fileno())
        if (found.st_dev, found.st_ino) == (device, inode):
            return PixelFile(file)
        file.close()
    raise RuntimeError(f"{places[-1]} was replaced while this run began: start it again")


def _index_bytes(file: BinaryIO) -> int | None:
    size = os.fstat(file.fileno()).st_size
    if size < TRAILER.size:
        return None
    length, magic = TRAILER.unpack(os.pread(file.fileno(), TRAILER.size, size - TRAILER.size))
    return int(length) if magic == MAGIC and length <= size - TRAILER.size else None


def write_pixel_file(
    path: Path,
    names: Sequence[str],
    *,
    stamp: Callable[[str], tuple[int, int]],
    read: Callable[[str], np.ndarray],
    threads: int,
) -> Iterator[str]:
    """Write the images to `path`, each by the thread that reads it; yields the names as they are done.

    Args:
        stamp: size and time stamp of an image file. Taken before it is read: what changes in between is found later.
        read: (H, W, C) of a name; may raise UnreadableImageError, which is noted in the index.
    """
    entries: dict[str, Entry] = {}
    with path.open("wb") as file:
        space = _Space()

        def transfer(name: str) -> Entry:
            size, modified = stamp(name)
            try:
                image = read(name)
            except UnreadableImageError as error:
                return Entry(size, modified, error=str(error))
            offset = space.take(image.nbytes)
            _write_at(file, np.ascontiguousarray(image).data.cast("B"), offset)
            height, width = image.shape[:2]
            return Entry(size, modified, offset, height, width, image.itemsize)

        pool = ThreadPoolExecutor(threads)  # decoding and writing leave the interpreter's lock to the others
        try:
            for name, entry in zip(names, pool.map(transfer, names), strict=True):
                entries[name] = entry
                yield name
        finally:
            pool.shutdown(cancel_futures=True)
        index = json.dumps({name: astuple(entry) for name, entry in entries.items()}).encode()
        _write_at(file, memoryview(index + TRAILER.pack(len(index), MAGIC)), space.end)
        os.fsync(file.fileno())


class _Space:
    """Hands out places in a file, one after the other."""

    def __init__(self) -> None:
        self.end = 0
        self._lock = Lock()

    def take(self, length: int) -> int:
        with self._lock:
            offset = self.end
            self.end += -(-length // ALIGNMENT) * ALIGNMENT
            return offset


def _write_at(file: BinaryIO, data: memoryview, offset: int) -> None:
    # Not through the map: a full disk is an error here and would be a signal there.
    while data:
        done = os.pwrite(file.fileno(), data, offset)
        data, offset = data[done:], offset + done
