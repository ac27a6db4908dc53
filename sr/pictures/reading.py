"""The one reader: training, check, evaluation and upscaling see the same picture in a file.

`read_picture` gives the picture as it is stored, `read_image` gives it in the channels that a net needs.
"""

import io
import logging
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

import cv2
import numpy as np
from PIL import UnidentifiedImageError

from sr.pictures import pillow, tiff
from sr.pictures.picture import Header, Picture, UnreadableImageError

# A header of a few bytes can announce any size. Half a gigapixel is five photographs of 100 megapixels.
MOST_PIXELS = 500_000_000
LIMIT = "SR_MAX_PIXELS"  # environment variable, so that every program and every loader process obeys it

logging.getLogger("tifffile").setLevel(
    logging.CRITICAL
)  # the error names the file and says what Pillow would log


def read_header(path: Path) -> Header:
    """Read the header of a picture without decoding it.

    Raises:
        UnreadableImageError: the file is not an image, or it has more pixels than the limit.
    """
    with _opened(path) as file:
        return _header(file, str(path))


def read_picture(path: Path) -> Picture:
    """Read the first picture of a file, turned upright; an alpha channel that hides nothing is left out.

    Gray stays gray, 8 and 16 bits and floats of 32 bits stay what they are, other depths are scaled to the next of 8
    and 16, palettes become colours, and CMYK becomes RGB by its profile. docs/pictures.md lists every case.

    Raises:
        UnreadableImageError: names the file and what is wrong with it.
    """
    with _opened(path) as file:
        return _without_opaque(_picture(file, str(path)))


def read_image(path: str | Path, *, channels: int = 3) -> np.ndarray:
    """Read a file as (H, W, channels): gray for 1 channel, RGB for 3, the bands as stored otherwise.

    The type is that of the file: uint8, uint16, int16 or float32, in which pixels without data have their value. Gray
    files become RGB where colour is asked for, and colour becomes gray (BT.601) where gray is. Transparent images are
    laid on white, because the colours under full transparency are arbitrary.

    Raises:
        UnreadableImageError: names the file and what is wrong with it.
    """
    with _opened(Path(path)) as file:
        return _as_channels(_picture(file, str(path)), channels, name=str(path))


def decode_header(data: bytes, *, name: str) -> Header:
    """Read the header in the bytes of a file as `read_header` does; errors call it `name`."""
    return _header(io.BytesIO(data), name)


def decode_image(data: bytes, *, name: str, channels: int = 3) -> np.ndarray:
    """Decode the bytes of a file as `read_image` does; errors call it `name`."""
    return _as_channels(_picture(io.BytesIO(data), name), channels, name=name)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        # Checked before it is opened, because a pipe would wait for somebody to write into it.
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableImageError(f"{path}: not an image but a folder, a pipe or a device")
        file = path.open("rb")
    except OSError as error:
        raise UnreadableImageError(f"{path}: {error.strerror}") from error
    with file:
        yield file


def _header(file: BinaryIO, name: str) -> Header:
    with _understood(file, name) as (header, _):
        return header


def _picture(file: BinaryIO, name: str) -> Picture:
    with _understood(file, name) as (header, decode):
        picture = decode()
        height, width, bands = picture.colour.shape
        dtype = picture.colour.dtype
        found = (height, width, bands, picture.alpha is not None, dtype)
        if found != (header.height, header.width, header.bands, header.alpha, header.dtype):
            raise UnreadableImageError(
                f"{name}: decoded are {width} x {height} pixels of {bands} bands and {dtype}, where its header says"
                f" {header.width} x {header.height} of {header.bands} and {header.dtype}"
            )
        return picture


@contextmanager
def _understood(file: BinaryIO, name: str) -> Iterator[tuple[Header, Callable[[], Picture]]]:
    """The header, and a function that decodes the picture. The limit of pixels is checked before memory is allocated.

    Every error of a library becomes the one error that names the file.
    """
    most = most_pixels()
    try:
        with _library(file, name).opened(file, name) as (header, decode):
            _check(header, name, most=most)
            yield header, decode
    except UnreadableImageError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{name}: not an image, or a truncated one") from error
    except MemoryError as error:
        raise UnreadableImageError(f"{name}: not enough memory for what its header says") from error
    except Exception as error:  # libraries raise errors of any kind
        raise UnreadableImageError(
            f"{name}: truncated or damaged ({str(error).strip() or type(error).__name__})"
        ) from error


def _library(file: BinaryIO, name: str) -> ModuleType:
    """The module that reads this kind of file; its `opened` gives the header and a function that decodes."""
    file.seek(0)
    magic = file.read(4)
    file.seek(0)
    if not magic:
        raise UnreadableImageError(f"{name}: the file is empty (zero bytes)")
    return tiff if magic in tiff.MAGIC else pillow


def _check(header: Header, name: str, *, most: int) -> None:
    height, width = header.height, header.width
    if height < 1 or width < 1:
        raise UnreadableImageError(f"{name}: {width} x {height} pixels are not a picture")
    # With many bands, each band counts as a quarter of a pixel, which is what a pixel with alpha takes.
    if height * width * max(header.bands, 4) // 4 > most:
        raise UnreadableImageError(
            f"{name}: its header says {width} x {height} pixels, more than {most:,} and so taken for a decompression"
            f" bomb; {LIMIT}=N in the environment raises the limit"
        )


def most_pixels() -> int:
    """The limit for all readers. Raises ValueError when the environment variable is not a number."""
    text = os.environ.get(LIMIT, "")
    if not text:
        return MOST_PIXELS
    if not text.replace("_", "").isdecimal():
        raise ValueError(f"{LIMIT}={text!r}: write a number of pixels, such as {LIMIT}={2 * MOST_PIXELS}")
    return int(text)


def _without_opaque(picture: Picture) -> Picture:
    """Drop an alpha channel that hides nothing: it would cost a pass through the net and forbid JPEG."""
    alpha = picture.alpha
    if alpha is None or (alpha < np.iinfo(alpha.dtype).max).any():
        return picture
    return replace(picture, alpha=None)


def _as_channels(picture: Picture, channels: int, *, name: str) -> np.ndarray:
    colour, alpha = picture.colour, picture.alpha
    bands = colour.shape[2]
    if channels in (1, 3) and bands in (1, 3) and colour.dtype.kind == "u":
        if alpha is not None:
            colour = _on_white(colour, alpha)
        if bands == channels:
            return colour
        if channels == 3:
            return np.repeat(colour, 3, axis=2)
        return np.asarray(cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY))[:, :, None]
    if bands == channels:
        return colour
    if alpha is not None and bands + 1 == channels:
        return np.concatenate((colour, alpha), axis=2)
    if colour.dtype.kind != "u" and {bands, channels} == {1, 3}:
        unsaid = f"{colour.dtype} is no colour, which could become gray or be made of it"
        raise UnreadableImageError(
            f"{name}: has {bands} band(s), where channels={channels} are asked for; {unsaid}"
        )
    unmarked = ", of which the file marks none as alpha" if bands in (2, 4) and alpha is None else ""
    beside = " and alpha" if alpha is not None else ""
    raise UnreadableImageError(
        f"{name}: has {bands} bands{beside}{unmarked}, where channels={channels} are asked for"
    )


def _on_white(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """(H, W, C) and (H, W, 1) -> (H, W, C) of the same dtype."""
    top = np.iinfo(colour.dtype).max
    share = alpha.astype(np.float64) / top
    return np.asarray((colour * share + top * (1 - share)).round().astype(colour.dtype))
