"""A folder of images -> shards: tars of the files as they are, in the layout of WebDataset, and their index."""

import hashlib
import io
import logging
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sr.data.shards.index import NAME, PackedImage, Shard, write_index
from sr.data.shards.storage import Storage
from sr.pictures.listing import list_images
from sr.pictures.picture import UnreadableImageError
from sr.pictures.reading import read_header

log = logging.getLogger(__name__)

OURS = re.compile(r"(shard-\d{6}\.tar|index\.json)(\.part)?")


@dataclass(frozen=True)
class Original:
    """An image file to be packed; `name` is its path below the folder."""

    path: Path
    name: str
    bytes: int
    height: int
    width: int


def find_originals(
    root: Path, *, on_error: str, progress: Callable[[Sequence[Path]], Iterable[Path]]
) -> tuple[list[Original], int]:
    """Find the images of a folder by their headers, and the number of files that were skipped.

    Args:
        root: the folder, which is searched recursively.
        on_error: the treatment of a file that cannot be read as an image: `raise`, or `skip`.
        progress: a wrapper around the iteration over the files that shows the progress.

    Raises:
        UnreadableImageError: a file, which the message names, or every file cannot be read.
        FileNotFoundError, NotADirectoryError: the folder does not exist, or it has no image in it.
    """
    paths = list_images(root)
    found = []
    for path in progress(paths):
        try:
            header = read_header(path)
        except UnreadableImageError as error:
            if on_error == "raise":
                raise
            log.warning("skipped: %s", error)
            continue
        name = path.relative_to(root.expanduser()).as_posix()
        found.append(Original(path, name, path.stat().st_size, header.height, header.width))
    if not found:
        raise UnreadableImageError(f"none of the {len(paths)} files in {root} can be read")
    return found, len(paths) - len(found)


def check_empty(storage: Storage, *, overwrite: bool) -> None:
    """Raises FileExistsError when the folder holds something that may not be overwritten."""
    present = storage.sizes()
    if present is None:
        raise ValueError(
            f"{storage.url}: a web server cannot be written to; pack into a folder and upload that"
        )
    foreign = sorted(name for name in present if not OURS.fullmatch(name))
    if foreign:
        raise FileExistsError(f"{storage.url} holds {foreign[0]}, which is not a shard: take an empty folder")
    if present and not overwrite:
        what = "shards" if NAME in present else "what an interrupted run left"
        raise FileExistsError(f"{storage.url} holds {what} already: take another folder, or --overwrite")


def pack(
    originals: Sequence[Original],
    storage: Storage,
    *,
    shard_bytes: int,
    shuffle: int | None,
    report: Callable[[Shard], object] = lambda shard: None,
) -> list[Shard]:
    """Write the shards one by one, and then the index.

    If it ends earlier, there is no index, and the files that were written are removed where that is still possible.

    Args:
        originals: the images.
        storage: an empty folder or object store, as `check_empty` verifies.
        shard_bytes: the largest size of a shard in bytes; a shard holds at least one image, however large.
        shuffle: the seed of the order; None packs by path.
        report: a function that is called with each finished shard.
    """
    old = storage.sizes() or {}
    storage.remove(NAME)  # before anything else: a mixture of old and new shards must not have an index
    order = np.random.default_rng(shuffle).permutation(len(originals)) if shuffle is not None else None
    ordered = [originals[i] for i in order] if order is not None else list(originals)
    shards: list[Shard] = []
    number = 0
    try:
        for part in _split(ordered, shard_bytes):
            name = f"shard-{len(shards):06d}.tar"
            with storage.writing(name) as path:
                shard = _write_shard(path, name, part, first=number)
            shards.append(shard)
            number += len(part)
            report(shard)
        with storage.writing(NAME) as path:
            path.write_text(write_index(shards), encoding="utf-8")
    except BaseException:
        for shard in shards:
            storage.remove(shard.name)
        raise
    for name in old.keys() - {shard.name for shard in shards} - {NAME}:
        storage.remove(name)
    return shards


def _split(originals: Sequence[Original], limit: int) -> Iterator[list[Original]]:
    part: list[Original] = []
    size = 2 * tarfile.BLOCKSIZE  # the end marker, after which a tar is filled up to complete records
    for original in originals:
        needed = tarfile.BLOCKSIZE * (1 + -(-original.bytes // tarfile.BLOCKSIZE))
        if part and -(-(size + needed) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE > limit:
            yield part
            part, size = [], 2 * tarfile.BLOCKSIZE
        part.append(original)
        size += needed
    yield part


def _write_shard(path: Path, name: str, originals: Sequence[Original], *, first: int) -> Shard:
    # Numbers for names, because WebDataset reads everything after the first dot as the kind of a member. Nothing of the
    # time or the user goes in: the same files give the same bytes.
    members = [f"{first + i:08d}{original.path.suffix.lower()}" for i, original in enumerate(originals)]
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for member, original in zip(members, originals, strict=True):
            data = original.path.read_bytes()
            head = tarfile.TarInfo(member)
            head.size = len(data)
            tar.addfile(head, io.BytesIO(data))
    with tarfile.open(path) as tar:  # with the mode bits that every reader will find
        images = [
            PackedImage(o.name, found.name, found.offset_data, found.size, o.height, o.width)
            for o, found in zip(originals, tar, strict=True)
        ]
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Shard(name, path.stat().st_size, digest, images)
