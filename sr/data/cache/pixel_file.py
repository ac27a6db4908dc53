"""Decoded images in one file that is mapped into memory: a process reads the pages of its crop and nothing else.

The file holds pixels, then an index as JSON, then a trailer that only a complete file has. It is never changed: a new
file takes its place by a rename, so a process that reads the old one goes on reading it.
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

MAGIC = b"srpixel2"  # change this number when the same files give other pixels than before
TRAILER = struct.Struct("<Q8s")  # size of the index in bytes, MAGIC
ALIGNMENT = 64


@dataclass(frozen=True)
class Entry:
    """An image file as it was when it was read, and the position of its pixels.

    Args:
        bytes: the size of the image file.
        modified: its time stamp in nanoseconds.
        offset: the position of the first pixel in the file, in bytes.
        height: the height of the image in pixels.
        width: its width.
        itemsize: the bytes of a sample: 1 for uint8, 2 for uint16 and int16, 4 for float32.
        error: the error of an image file that cannot be read and has no pixels; otherwise None.
        kind: the kind of a sample as NumPy names it: `u`, `i` or `f`.
    """

    bytes: int
    modified: int
    offset: int = 0
    height: int = 0
    width: int = 0
    itemsize: int = 1
    error: str | None = None
    kind: str = "u"


class PixelFile:
    """An open file of pixels. A pickle of it opens the file again in the other process, without copying a pixel.

    Args:
        file: the open file, which is mapped as a whole.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @classmethod
    def open(cls, path: Path) -> "PixelFile | None":
        """Open the file at a path; None where there is none, or an incomplete one."""
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

    def image(
        self, *, offset: int, height: int, width: int, channels: int, itemsize: int, kind: str = "u"
    ) -> np.ndarray:
        """The image as a read-only view, (height, width, channels) uint8, uint16, int16 or float32."""
        return np.ndarray((height, width, channels), f"={kind}{itemsize}", buffer=self._map, offset=offset)

    def is_at(self, path: Path) -> bool:
        """Whether `path` still leads to this file, and not to one that has taken its place."""
        try:
            return os.path.samestat(path.stat(), os.fstat(self.file.fileno()))
        except FileNotFoundError:
            return False

    def __reduce__(self) -> tuple[Callable[..., "PixelFile"], tuple[list[Path], int, int]]:
        found = os.fstat(self.file.fileno())
        # The first path finds the file even after its name was removed; only Linux has it.
        places = [Path(f"/proc/{os.getpid()}/fd/{self.file.fileno()}"), Path(self.file.name)]
        return _reopen, (places, found.st_dev, found.st_ino)


def expect_rows(image: np.ndarray, top: int, bottom: int) -> None:
    """Ask the system to read these rows from disk at once, and not one page after the other as they are touched.

    It does nothing for an image that is not a view into a `PixelFile`, or that is in memory already.
    """
    pixels: object = image
    while isinstance(pixels, np.ndarray):
        pixels = pixels.base
    if not isinstance(pixels, mmap.mmap) or not hasattr(pixels, "madvise"):  # Windows has no such advice
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
    """Write the images to `path`, each by the thread that decodes it; yields each name when it is done.

    Args:
        stamp: a function that gives size and time stamp of an image file. It is called before the file is read, so a
            change in between is found later.
        read: a function name -> (H, W, C); it may raise UnreadableImageError, which is noted in the index.
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
            return Entry(size, modified, offset, height, width, image.itemsize, kind=image.dtype.kind)

        pool = ThreadPoolExecutor(threads)  # decoding and writing release the interpreter's lock
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
    """Hands out positions in a file, one after the other."""

    def __init__(self) -> None:
        self.end = 0
        self._lock = Lock()

    def take(self, length: int) -> int:
        with self._lock:
            offset = self.end
            self.end += -(-length // ALIGNMENT) * ALIGNMENT
            return offset


def _write_at(file: BinaryIO, data: memoryview, offset: int) -> None:
    # Not through the map, where a full disk would be a signal instead of an error.
    while data:
        done = os.pwrite(file.fileno(), data, offset)
        data, offset = data[done:], offset + done
