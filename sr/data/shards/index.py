"""`index.json` beside the shards: which images they hold, and where in them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

NAME = "index.json"
VERSION = 1


class PackedImage(NamedTuple):
    """An image file inside a shard.

    Attributes:
        path: the path of the image file below the folder that was packed, with slashes.
        member: its name in the tar.
        offset: the position of its first byte in the shard.
        bytes: the length of the file.
        height: the height of the image in pixels.
        width: its width.
    """

    path: str
    member: str
    offset: int
    bytes: int
    height: int
    width: int


@dataclass(frozen=True)
class Shard:
    """A tar of images; sha256 is that of the whole file."""

    name: str
    bytes: int
    sha256: str
    images: Sequence[PackedImage]


def write_index(shards: Sequence[Shard]) -> str:
    """Write JSON with one image on each line, so that people can read it too."""
    parts = []
    for shard in shards:
        rows = ",\n".join(json.dumps(image, ensure_ascii=False) for image in shard.images)
        head = json.dumps({"name": shard.name, "bytes": shard.bytes, "sha256": shard.sha256})
        parts.append(f'{head[:-1]}, "images": [\n{rows}]}}')
    columns = json.dumps(PackedImage._fields)
    return f'{{"version": {VERSION}, "columns": {columns},\n"shards": [\n' + ",\n".join(parts) + "]}\n"


def read_index(data: bytes, *, place: str) -> list[Shard]:
    """The shards that an index lists, from its bytes.

    Raises:
        ValueError: the index is damaged or of a later version; the message names `place`.
    """
    try:
        found = json.loads(data)
        version = int(found["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{place} is not an index of shards, or a truncated one ({error!r})") from error
    if version > VERSION:
        raise ValueError(
            f"{place} has version {version}, and this program reads up to {VERSION}: update it, or pack again"
        )
    try:
        shards = [_shard(entry) for entry in found["shards"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{place} is damaged ({error!r})") from error
    if not any(shard.images for shard in shards):
        raise ValueError(f"{place} lists no image")
    return shards


def _shard(entry: dict[str, Any]) -> Shard:
    images = [PackedImage(*row) for row in entry["images"]]
    shard = Shard(entry["name"], int(entry["bytes"]), entry["sha256"], images)
    # Both become part of a file name, and an index may come from a stranger.
    if not re.fullmatch(r"\w[\w.-]*", shard.name) or not re.fullmatch("[0-9a-f]{64}", shard.sha256):
        raise ValueError(f"shard {shard.name!r} with sha256 {shard.sha256!r}")
    for image in images:
        if not 0 <= image.offset <= image.offset + image.bytes <= shard.bytes:
            raise ValueError(f"{image.path} lies outside of {shard.name}")
    return shard
