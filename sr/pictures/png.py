"""PNG, row by row: every kind of picture in constant memory, and a full disk is an OSError.

OpenCV's writer knows no gray with alpha, drops the image where the profile is odd, and may not notice that the disk is
full; Pillow's copies the image and has no 16-bit colour.
"""

import struct
import zlib
from typing import BinaryIO

import numpy as np

from sr.pictures.chunks import SIGNATURE

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by the number of channels, alpha counted
STRIP_BYTES = 1 << 18  # a strip and its five predictions stay in a processor's cache
LEVEL = 4  # of 9; photographs are a few per cent smaller at 9, in several times the time


def write_png_stream(
    file: BinaryIO, *, colour: np.ndarray, alpha: np.ndarray | None = None, icc: bytes | None = None
) -> None:
    """Write (H, W, 1 or 3) and (H, W, 1) of uint8 or uint16 as a PNG file (ISO/IEC 15948).

    Raises:
        OSError: the disk is full, or the like.
    """
    height, width = colour.shape[:2]
    depth = colour.dtype.itemsize
    channels = colour.shape[2] + (alpha is not None)
    file.write(SIGNATURE)
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8 * depth, COLOUR_TYPES[channels], 0, 0, 0))
    if icc is not None:
        _chunk(file, b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
    above = np.zeros((1, width * channels * depth), np.uint8)
    rows = max(STRIP_BYTES // above.size, 1)
    for top in range(0, height, rows):
        strip = _bytes(colour[top : top + rows], None if alpha is None else alpha[top : top + rows])
        filtered = _filter(strip, np.concatenate((above, strip[:-1])), pixel=channels * depth)
        above = strip[-1:]
        packed = packer.compress(filtered.data)
        if packed:
            _chunk(file, b"IDAT", packed)
    _chunk(file, b"IDAT", packer.flush())
    _chunk(file, b"IEND", b"")


def _chunk(file: BinaryIO, name: bytes, content: bytes) -> None:
    file.write(struct.pack(">I", len(content)) + name)
    file.write(content)
    file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(name))))


def _bytes(colour: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """(rows, bytes of a row) uint8, most significant byte first."""
    pixels = colour if alpha is None else np.concatenate((colour, alpha), axis=2)
    return (
        np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder(">"), copy=False))
        .view(np.uint8)
        .reshape(len(pixels), -1)
    )


def _filter(rows: np.ndarray, above: np.ndarray, *, pixel: int) -> np.ndarray:
    """Rows as differences to a prediction, each led by the number of the best filter.

    Of those of the standard: 0 none, 1 left, 2 above, 4 Paeth's. Best is taken to be the one with the least sum of
    absolute differences, the standard's own advice (12.8).
    """
    left = np.zeros_like(rows)
    left[:, pixel:] = rows[:, :-pixel]
    corner = np.zeros_like(rows)
    corner[:, pixel:] = above[:, :-pixel]
    candidates = {0: rows, 1: rows - left, 2: rows - above, 4: rows - _paeth(left, above, corner)}
    costs = np.stack([np.abs(each.view(np.int8).astype(np.int16)).sum(1) for each in candidates.values()])
    best = np.array(list(candidates))[costs.argmin(0)]
    filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = best
    for number, values in candidates.items():
        chosen = best == number
        filtered[chosen, 1:] = values[chosen]
    return filtered


def _paeth(left: np.ndarray, above: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Of the three neighbours the one nearest to left + above - corner; ties in this order."""
    a, b, c = (each.astype(np.int16) for each in (left, above, corner))
    to_left, to_above = np.abs(b - c), np.abs(a - c)
    to_corner = np.abs(a + b - 2 * c)
    use_left = (to_left <= to_above) & (to_left <= to_corner)
    return np.where(use_left, left, np.where(to_above <= to_corner, above, corner))
