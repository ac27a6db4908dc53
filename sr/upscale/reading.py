"""Files -> pictures: depth, alpha, orientation and profile kept, everything broken refused."""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from sr.ops.image import UnreadableImageError
from sr.upscale.deep_tiff import describe_deep_tiff, read_deep_tiff
from sr.upscale.picture import Picture
from sr.upscale.png import SIGNATURE

# A header of a few bytes can announce any size. Half a gigapixel is five photographs of 100 megapixels.
MOST_PIXELS = 500_000_000
ORIENTATION = 0x0112
# Pillow's modes that are 8-bit gray or colour once converted.
GRAY_MODES = ("1", "L", "LA", "La")
COLOUR_MODES = ("RGB", "RGBA", "RGBX", "RGBa", "P", "PA", "YCbCr", "CMYK")


@dataclass(frozen=True)
class Header:
    """What a file says of its picture: its size, before it is turned upright, and what a pixel takes in memory."""

    height: int
    width: int
    bytes_per_pixel: int


def read_header(path: Path) -> Header:
    """Without decoding the picture.

    Raises:
        UnreadableImageError: no image, or one above MOST_PIXELS.
    """
    return _header(path, _bytes(path))


def _header(path: Path, data: bytes) -> Header:
    with _readable(path):
        if (deep := describe_deep_tiff(path, data)) is not None:
            header = Header(deep.height, deep.width, 2 * deep.channels)
        else:
            with Image.open(io.BytesIO(data)) as image:
                bands = 3 if image.mode in ("P", "CMYK") else len(image.getbands())
                header = Header(image.height, image.width, bands * (2 if _is_deep_png(data) else 1))
    if header.height * header.width > MOST_PIXELS:
        raise UnreadableImageError(
            f"{path}: its header says {header.width} x {header.height} pixels, more than {MOST_PIXELS:,} and so taken"
            " for a decompression bomb"
        )
    return header


def read_picture(path: Path) -> Picture:
    """Read the first picture of a file, turned as its EXIF orientation says.

    Gray stays gray, 16 bit stays 16 bit, palettes become colours, CMYK becomes RGB by its profile.

    Raises:
        UnreadableImageError: names the file and what is wrong with it.
    """
    data = _bytes(path)
    _header(path, data)
    with _readable(path):
        if (deep := describe_deep_tiff(path, data)) is not None:
            pixels = _upright(read_deep_tiff(data), deep.orientation)
            return _picture(pixels, icc=deep.icc, notes=_first_of(path, deep.pages))
        with Image.open(io.BytesIO(data)) as image:
            notes = _first_of(path, getattr(image, "n_frames", 1))
            return (_read_deep_png if _is_deep_png(data) else _read_pillow)(path, data, image, notes)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Whatever broken bytes lead the decoders to becomes one kind of error; sizes of any number are let pass.

    Pillow's own limit would refuse photographs of 180 megapixels and warn of 90; ours is checked instead.
    """
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    except UnreadableImageError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{path}: no image, or a truncated one") from error
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        LookupError,
        TypeError,
        struct.error,
        cv2.error,
    ) as error:
        raise UnreadableImageError(f"{path}: truncated or broken ({error})") from error
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _first_of(path: Path, pictures: int) -> tuple[str, ...]:
    return (f"{path}: taken is the first of {pictures} pictures in it",) if pictures > 1 else ()


def _is_deep_png(data: bytes) -> bool:
    """16 bits per channel, which Pillow would turn into 8."""
    return data.startswith(SIGNATURE) and data[24:25] == b"\x10"


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableImageError(f"{path}: {error.strerror}") from error
    if not data:
        raise UnreadableImageError(f"{path}: the file is empty (zero bytes)")
    return data


def _read_pillow(path: Path, data: bytes, image: Image.Image, notes: tuple[str, ...]) -> Picture:
    """8 bits per channel."""
    if image.mode not in GRAY_MODES + COLOUR_MODES:
        raise UnreadableImageError(
            f"{path}: pixels of the kind {image.mode} are not read; read are gray, RGB and CMYK of 8 or 16 bits"
        )
    image.load()  # raises OSError for a truncated file
    icc = image.info.get("icc_profile")
    transparent = image.has_transparency_data
    if image.mode == "CMYK":
        image, icc, notes = _from_cmyk(path, image, icc, notes)
    gray = image.mode in GRAY_MODES or (image.mode == "P" and _gray_palette(image))
    wanted = ("L" if gray else "RGB") + ("A" if transparent else "")
    if image.mode != wanted:
        # A palette's transparency is known to the conversion to RGBA alone.
        image = image.convert("RGBA").convert(wanted) if transparent else image.convert(wanted)
    pixels = np.asarray(ImageOps.exif_transpose(image))
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    return _picture(pixels, icc=icc, notes=notes)


def _gray_palette(image: Image.Image) -> bool:
    palette = np.array(image.getpalette("RGB")).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())


def _from_cmyk(
    path: Path, image: Image.Image, icc: bytes | None, notes: tuple[str, ...]
) -> tuple[Image.Image, bytes | None, tuple[str, ...]]:
    """To sRGB by the profile, or by the plain formula without one; a profile of CMYK fits no RGB."""
    if icc is None:
        return (
            image.convert("RGB"),
            None,
            (*notes, f"{path}: CMYK without a profile: its colours are a guess"),
        )
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        raise UnreadableImageError(f"{path}: its CMYK profile cannot be used ({error})") from error
    assert converted is not None
    return converted, None, (*notes, f"{path}: CMYK, converted to sRGB by its profile")


def _read_deep_png(path: Path, data: bytes, image: Image.Image, notes: tuple[str, ...]) -> Picture:
    """16 bits per channel."""
    icc, orientation = image.info.get("icc_profile"), image.getexif().get(ORIENTATION, 1)
    with Image.open(io.BytesIO(data)) as again:
        again.verify()  # the checksums of all chunks, since OpenCV fills what is missing with black
    pixels = _png_pixels(path, data, gray=data[25] in (0, 4))  # the colour type
    return _picture(_upright(pixels, orientation), icc=icc, notes=notes)


def _png_pixels(path: Path, data: bytes, *, gray: bool) -> np.ndarray:
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise UnreadableImageError(f"{path}: truncated or broken")
    if decoded.ndim == 2:
        return np.asarray(decoded[:, :, None])
    if gray:  # gray with alpha comes as colour
        return np.asarray(decoded[:, :, [0, 3]])
    return np.asarray(decoded[:, :, [2, 1, 0, 3][: decoded.shape[2]]])


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """As EXIF says: 2 to 4 mirror or turn, from 5 on the axes are exchanged."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation, ())
    return np.ascontiguousarray(np.flip(pixels, flips))


def _picture(pixels: np.ndarray, *, icc: bytes | None, notes: tuple[str, ...]) -> Picture:
    channels = pixels.shape[2]
    if channels in (1, 3):
        return Picture(pixels, icc=icc, notes=notes)
    colour, alpha = (np.ascontiguousarray(part) for part in np.split(pixels, [channels - 1], axis=2))
    # An alpha channel that hides nothing costs a pass through the net and forbids JPEG.
    opaque = bool((alpha == np.iinfo(alpha.dtype).max).all())
    return Picture(colour, alpha=None if opaque else alpha, icc=icc, notes=notes)
