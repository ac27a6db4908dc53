"""The chunks of a PNG (ISO/IEC 15948, 5.3): finding one, and the checksums of all."""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEAD = struct.Struct(">I4s")  # bytes of the content, name; the content and its CRC-32 follow
LONGEST = 1 << 20  # bytes of a chunk that is looked at


def find_chunk(file: BinaryIO, name: bytes) -> bytes | None:
    """The content of the first chunk of that name, wherever it stands; None without one. The file stays where it is."""
    place = file.tell()
    try:
        for found, length in _heads(file):
            if found == name and length <= LONGEST:
                return file.read(length)
            file.seek(length + 4, 1)
        return None
    finally:
        file.seek(place)


def fault(data: bytes) -> str | None:
    """What the checksums say is wrong with the bytes of a PNG; None if nothing is.

    libpng looks at no chunk behind the last row, and passes over damaged ones that it can do without.
    """
    view, place = memoryview(data), len(SIGNATURE)
    while place + HEAD.size <= len(data):
        length, name = HEAD.unpack_from(data, place)
        end = place + HEAD.size + length
        if end + 4 > len(data):
            return f"its chunk {name.decode('latin-1')} is cut off"
        if zlib.crc32(view[place + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            return f"the checksum of its chunk {name.decode('latin-1')} does not match"
        if name == b"IEND":
            return None
        place = end + 4
    return "its end is missing"


def _heads(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Name and length of each chunk, the file being at its content; who asks has to move on to its end."""
    file.seek(len(SIGNATURE))
    while len(head := file.read(HEAD.size)) == HEAD.size:
        length, name = HEAD.unpack(head)
        yield name, length
        if name == b"IEND":
            return
