"""Which way up a picture is meant: EXIF's orientation, and turning by it."""

import struct
from typing import BinaryIO

import numpy as np
from PIL import Image

TAG = 0x0112
LONGEST = 1 << 20  # bytes of EXIF data that are looked at


def exif_orientation(image: Image.Image, file: BinaryIO) -> int:
    """1 to 8; 1, which is upright, also where nothing or nonsense is said.

    Raises:
        Exception: whatever broken EXIF data lead Pillow to.
    """
    if image.format == "PNG" and "exif" not in image.info:
        # Pillow's own getexif would decode the pixels to find a chunk that lies behind them.
        if (found := _png_exif(file)) is not None:
            image.info["exif"] = b"Exif\0\0" + found
        exif = Image.Image.getexif(image)
    else:
        exif = image.getexif()
    return valid(exif.get(TAG))


def valid(orientation: object) -> int:
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def exchanges_sides(orientation: int) -> bool:
    return orientation >= 5


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W, C) as stored -> as seen (EXIF 2.3, tag Orientation): 2 to 4 mirror or turn, from 5 on the axes change."""
    if orientation == 1:
        return np.ascontiguousarray(pixels)
    if exchanges_sides(orientation):
        pixels = pixels.transpose(1, 0, 2)
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation, ())
    return np.ascontiguousarray(np.flip(pixels, flips))


def _png_exif(file: BinaryIO) -> bytes | None:
    """The eXIf chunk of a PNG, which older tools write behind the pixels."""
    place = file.tell()
    try:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name == b"eXIf" and length <= LONGEST:
                return file.read(length)
            if name == b"IEND":
                break
            file.seek(length + 4, 1)  # the content and its checksum
        return None
    finally:
        file.seek(place)
