"""TIFF files of 16 bits per channel, which Pillow would turn into 8 or not know."""

import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import tifffile

from sr.ops.image import UnreadableImageError

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ORIENTATION, PROFILE = 274, 34675  # tags


@dataclass(frozen=True)
class DeepTiff:
    """What the first page of a file says of itself."""

    height: int
    width: int
    channels: int
    pages: int
    orientation: int
    icc: bytes | None


def describe_deep_tiff(path: Path, data: bytes) -> DeepTiff | None:
    """None for what is no TIFF or has at most 8 bits per channel.

    Raises:
        UnreadableImageError: it is a TIFF of pixels that are not read.
    """
    if data[:4] not in MAGIC:
        return None
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            page, pages = tiff.pages.first, len(tiff.pages)
            if page.bitspersample <= 8:
                return None
            if page.dtype != np.uint16 or page.samplesperpixel > 4:
                raise UnreadableImageError(
                    f"{path}: a TIFF of {page.samplesperpixel} channel(s) of {page.dtype} is not read; read are 1 to"
                    " 4 of 8 and 16 bit unsigned integers"
                )
            if page.photometric not in (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.RGB):
                raise UnreadableImageError(
                    f"{path}: 16 bit TIFF of the kind {page.photometric!s} is not read"
                )
            orientation, icc = (page.tags.valueof(tag) for tag in (ORIENTATION, PROFILE))
            return DeepTiff(
                height=page.imagelength,
                width=page.imagewidth,
                channels=page.samplesperpixel,
                pages=pages,
                orientation=int(orientation or 1),
                icc=bytes(icc) if icc else None,
            )
    except (tifffile.TiffFileError, IndexError, KeyError, TypeError, OSError) as error:
        raise UnreadableImageError(f"{path}: truncated or broken ({error})") from error


def read_deep_tiff(data: bytes) -> np.ndarray:
    """(H, W, C) uint16 as stored: by pixel or by plane, any compression that tifffile or OpenCV know.

    Raises:
        Exception: whatever the broken bytes lead the decoders to.
    """
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages.first
        samples, planes = page.samplesperpixel, int(page.planarconfig) == 2
        try:
            pixels = page.asarray()
        except ValueError:  # compressions such as LZW that tifffile needs another package for
            decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
            if decoded is None or samples == 2:
                raise
            order = [0] if samples == 1 else [2, 1, 0, 3][:samples]
            return np.asarray(decoded.reshape(*decoded.shape[:2], -1)[:, :, order])
    if planes and samples > 1:
        pixels = pixels.transpose(1, 2, 0)
    return np.asarray(pixels.reshape(*pixels.shape[:2], samples))
