"""The images inside shards."""

import logging
from collections.abc import Iterable, Sequence
from threading import Thread
from typing import BinaryIO

import numpy as np

from sr.data.shards.cache import ShardCache
from sr.data.shards.index import NAME, Shard, read_index
from sr.data.shards.storage import ShardError, Storage
from sr.data.sources import TIFF
from sr.pictures.picture import Header
from sr.pictures.reading import decode_header, decode_image

log = logging.getLogger(__name__)


class ShardImages:
    """An `ImageSource` of the images that an index lists, in its order.

    Args:
        shards: the shards as the index describes them.
        storage: the folder or object store that holds the shards.
        cache: the copies on this machine; None reads the shards in place, from a local folder.
        channels: the channels that every image is converted to, see `sr.pictures.reading.read_image`.
    """

    def __init__(
        self, shards: Sequence[Shard], *, storage: Storage, cache: ShardCache | None, channels: int = 3
    ) -> None:
        assert cache is not None or storage.local is not None
        self.storage = storage
        self.cache = cache
        self.channels = channels
        self.shards = [Shard(shard.name, shard.bytes, shard.sha256, ()) for shard in shards]
        images = [image for shard in shards for image in shard.images]
        self.shard_of = np.repeat(np.arange(len(shards)), [len(shard.images) for shard in shards])
        # Arrays and not objects: writing their reference counts would give every worker its own copy of the pages.
        self.table = np.array([(i.offset, i.bytes, i.height, i.width) for i in images], np.int64)
        self._paths = np.array([image.path.encode() for image in images])
        self._fetching: Thread | None = None
        self._nodata: dict[int, float | None] = {}

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: int) -> np.ndarray:
        data, name = self._data(index)
        return decode_image(data, name=name, channels=self.channels)

    def _data(self, index: int) -> tuple[bytes, str]:
        """The bytes of a file, and the name that errors call it by."""
        shard = self.shards[self.shard_of[index]]
        place = f"{self.storage.url}/{shard.name}"
        offset, length = self.table[index, :2].tolist()
        with self._open(shard) as file:
            file.seek(offset)
            data = file.read(length)
        if len(data) < length:
            raise ShardError(f"{place} ends before its image {self.path(index)}: it has been changed")
        return data, f"{place}: {self.path(index)}"

    def nodata(self, index: int) -> float | None:
        """See `ImageFiles.nodata`."""
        if not self.path(index).lower().endswith(TIFF):
            return None
        if index not in self._nodata:
            self._nodata[index] = self._header(index).nodata
        return self._nodata[index]

    def path(self, index: int) -> str:
        """The path of the file in the folder that was packed."""
        return str(self._paths[index].decode())

    def name(self, index: int) -> str:
        """The path without its suffix, as in `ImageFiles.name`."""
        path = self.path(index)
        return path[: path.rindex(".")]

    def size(self, index: int) -> tuple[int, int]:
        """The (height, width) in the index."""
        height, width = self.table[index, 2:].tolist()
        return height, width

    def listing(self) -> list[str]:
        """The path and the size in bytes of each file, as in the folder that was packed."""
        return [f"{self.path(index)} {self.table[index, 1]}" for index in range(len(self))]

    def fetch(self, shards: Iterable[int]) -> None:
        """Fetch shards into the cache in the background; returns at once."""
        if self.cache is None or (self._fetching is not None and self._fetching.is_alive()):
            return
        missing = [
            shard for shard in map(self.shards.__getitem__, shards) if not self.cache.path(shard).exists()
        ]
        if missing:
            self._fetching = Thread(target=self._fetch, args=(self.cache, missing), daemon=True)
            self._fetching.start()

    def _fetch(self, cache: ShardCache, shards: Sequence[Shard]) -> None:
        try:
            for shard in shards:
                cache.fetch(shard, wait=False)
        except OSError as error:  # the process that needs the shard will meet the error again, and raise it
            log.debug("%s", error)

    def _header(self, index: int) -> Header:
        data, name = self._data(index)
        return decode_header(data, name=name)

    def _open(self, shard: Shard) -> BinaryIO:
        if self.cache is not None:
            return self.cache.open(shard)
        assert self.storage.local is not None
        try:
            return (self.storage.local / shard.name).open("rb")
        except OSError as error:
            raise ShardError(f"{self.storage.url}/{shard.name}: {error.strerror}") from error


def find_shards(storage: Storage) -> list[Shard]:
    """Read the index and compare it with the storage, as far as that is possible without reading the shards.

    Raises:
        FileNotFoundError: the index or one of its shards is missing.
        ValueError: the index is damaged, or of a later version.
        ShardError: a shard has another size, or the storage cannot be reached.
    """
    try:
        data = storage.read(NAME)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{error}: make it by `sr-pack`, which writes it when all shards are complete"
        ) from None
    shards = read_index(data, place=f"{storage.url}/{NAME}")
    sizes = storage.sizes()
    if sizes is None:
        return shards
    for shard in shards:
        if shard.name not in sizes:
            raise FileNotFoundError(f"{storage.url}/{shard.name} does not exist, and {NAME} lists it")
        if sizes[shard.name] != shard.bytes:
            raise ShardError(
                f"{storage.url}/{shard.name} has {sizes[shard.name]} bytes where {NAME} says {shard.bytes}"
            )
    return shards


def check_sizes(images: ShardImages, *, smallest: int) -> None:
    """Raises ValueError for the first image with a side of less than `smallest` pixels."""
    small = np.flatnonzero(images.table[:, 2:].min(axis=1) < smallest)
    if len(small):
        height, width = images.size(int(small[0]))
        raise ValueError(
            f"{images.path(int(small[0]))} in {images.storage.url} has {width} x {height} pixels, less than a patch of"
            f" {smallest}: take a smaller data.hr_patch_size, or data.small_images=pad to mirror it"
        )
