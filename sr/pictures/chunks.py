"""The chunks of a PNG (ISO/IEC 15948, 5.3): finding one, and the checksums of all."""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEAD = struct.Struct(">I4s")  # length of the content, name; the content and its CRC-32 follow
LONGEST = 1 << 20  # largest number of bytes of a chunk that is read


def find_chunk(file: BinaryIO, name: bytes) -> bytes | None:
    """The content of the first chunk of that name, or None. The position in the file stays the same."""
    position = file.tell()
    try:
        for found, length in _heads(file):
            if found == name and length <= LONGEST:
                return file.read(length)
            file.seek(length + 4, 1)
        return None
    finally:
        file.seek(position)


def fault(data: bytes) -> str | None:
    """The fault that the checksums show in the bytes of a PNG, or None.

    libpng does not read the chunks behind the last row, and it ignores damaged chunks that it does not need.
    """
    view, position = memoryview(data), len(SIGNATURE)
    while position + HEAD.size <= len(data):
        length, name = HEAD.unpack_from(data, position)
        end = position + HEAD.size + length
        if end + 4 > len(data):
            return f"its chunk {name.decode('latin-1')} is cut off"
        if zlib.crc32(view[position + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            return f"the checksum of its chunk {name.decode('latin-1')} does not match"
        if name == b"IEND":
            return None
        position = end + 4
    return "its end is missing"


def _heads(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Name and length of each chunk. The file is at its content then, and the caller has to move on to its end."""
    file.seek(len(SIGNATURE))
    while len(head := file.read(HEAD.size)) == HEAD.size:
        length, name = HEAD.unpack(head)
        yield name, length
        if name == b"IEND":
            return
