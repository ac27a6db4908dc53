"""A digest inside a safetensors file, which has no checksum of its own."""

import hashlib
import json
from collections.abc import Mapping
from io import BytesIO
from typing import BinaryIO

from safetensors.torch import save
from torch import Tensor

DIGEST_KEY = "sr_sha256"  # the key in the metadata
_CHUNK = 2**20


def sealed(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """A safetensors file of these tensors, with the digest in its metadata; the same bytes each time."""
    plain = save(dict(tensors), metadata=dict(metadata))
    return _in_order(save(dict(tensors), metadata={**metadata, DIGEST_KEY: tensor_digest(BytesIO(plain))}))


def tensor_digest(file: BinaryIO) -> str:
    """The SHA-256 of the content of a safetensors file, without the digest itself and the offsets of tensors.

    It covers lines of JSON without spaces, each ended by a newline: first the metadata as [key, value] pairs, sorted by
    key; then for every tensor, sorted by name, [name, dtype, shape], followed by its bytes as they are in the file
    (little-endian, row by row).
    """
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(length))
    metadata = header.pop("__metadata__", {})
    metadata.pop(DIGEST_KEY, None)
    hashed = hashlib.sha256(_line(sorted(metadata.items())))
    for name in sorted(header):
        entry = header[name]
        hashed.update(_line([name, entry["dtype"], entry["shape"]]))
        start, end = entry["data_offsets"]
        file.seek(8 + length + start)
        for offset in range(start, end, _CHUNK):
            hashed.update(file.read(min(_CHUNK, end - offset)))
    return hashed.hexdigest()


def _in_order(file: bytes) -> bytes:
    """The same file with its metadata sorted by key, which the library writes in an order that changes."""
    end = 8 + int.from_bytes(file[:8], "little")
    header = json.loads(file[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8
    return len(text).to_bytes(8, "little") + text + file[end:]


def _line(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode() + b"\n"
