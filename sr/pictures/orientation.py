"""The orientation of a picture in EXIF, and how to turn the picture upright."""

from typing import BinaryIO

import numpy as np
from PIL import Image

from sr.pictures.chunks import find_chunk

TAG = 0x0112


def exif_orientation(image: Image.Image, file: BinaryIO) -> int:
    """The orientation from 1 to 8; 1 (upright) where it is missing or not valid.

    Raises:
        Exception: whatever broken EXIF data lead Pillow to.
    """
    if image.format != "PNG":
        return valid(image.getexif().get(TAG))
    # getexif of Pillow would decode the pixels to find a chunk that older tools write behind them.
    if "exif" not in image.info and (found := find_chunk(file, b"eXIf")) is not None:
        image.info["exif"] = b"Exif\0\0" + found
    return valid(Image.Image.getexif(image).get(TAG))


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
