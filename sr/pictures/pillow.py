"""Every format but TIFF: Pillow says what is in a file, and decodes it unless a library does so sooner."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

import cv2
import numpy as np
from imagecodecs import png_decode, webp_decode
from PIL import Image

from sr.pictures import cmyk
from sr.pictures.chunks import fault
from sr.pictures.orientation import exchanges_sides, exif_orientation, upright
from sr.pictures.picture import Header, Picture, UnreadableImageError

# Not all that Pillow knows: for some it starts other programs.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "PPM", "TGA", "JPEG2000", "AVIF", "QOI")
GRAY_MODES = ("1", "L", "LA", "La", "I;16")
COLOUR_MODES = ("RGB", "RGBA", "RGBX", "RGBa", "P", "PA", "YCbCr", "CMYK")
PNG_GRAY = (0, 4)  # colour types (ISO/IEC 15948, 11.2.2)
SLACK = 1 << 26  # bytes of text, profiles and the like beside the pixels of a file

# Ours is checked instead (see `sr.pictures.reading`), in one place and for every format; Pillow's would refuse
# photographs of 180 megapixels, and a change around each call would be seen by other threads.
Image.MAX_IMAGE_PIXELS = None
Image.init()
# It warns, with a path of its own, of EXIF entries that it passes over; the others, orientation among them, it reads.
warnings.filterwarnings("ignore", module=r"PIL\.")
KNOWN = [kind for kind in FORMATS if kind in Image.OPEN]  # by this build of Pillow


@contextmanager
def opened(file: BinaryIO, name: str) -> Iterator[tuple[Header, Callable[[], Picture]]]:
    """The header of the first picture, and what decodes it.

    Raises:
        UnreadableImageError: pixels that are not read, or other ones than the header says.
        Exception: whatever broken bytes lead the decoders to.
    """
    with Image.open(file, formats=KNOWN) as image:
        header = _header(image, file, name)
        yield header, partial(_decode, image, file, header, name)


def _decode(image: Image.Image, file: BinaryIO, header: Header, name: str) -> Picture:
    icc = image.info.get("icc_profile")
    if image.mode == "CMYK":
        image.load()
        samples, icc = cmyk.to_rgb(image, icc), None
    elif (codec := _codec(image)) is not None:
        samples = _by_codec(codec, file, header, name)
    else:
        samples = _by_pillow(image, header)
    channels = header.bands + header.alpha
    if samples.shape[2] != channels:
        raise UnreadableImageError(
            f"{name}: decoded are {samples.shape[2]} channels where its header says {channels}"
        )
    samples = upright(samples, header.orientation)
    if not header.alpha:
        return Picture(samples, icc=icc, notes=header.notes)
    colour, alpha = np.split(samples, [header.bands], axis=2)
    return Picture(
        np.ascontiguousarray(colour), alpha=np.ascontiguousarray(alpha), icc=icc, notes=header.notes
    )


def _header(image: Image.Image, file: BinaryIO, name: str) -> Header:
    if image.mode not in GRAY_MODES + COLOUR_MODES:
        raise UnreadableImageError(
            f"{name}: pixels of the kind {image.mode} are not read; read are gray, RGB and CMYK of 8 or 16 bits"
        )
    notes: tuple[str, ...] = ()
    if (pictures := getattr(image, "n_frames", 1)) > 1:
        notes += (f"taken is the first of {pictures} pictures in it",)
    if image.mode == "CMYK":
        notes += (cmyk.note(image.info.get("icc_profile")),)
    try:
        orientation = exif_orientation(image, file)
    except (
        Exception
    ) as error:  # there is no end to what broken EXIF data lead to, and the pixels are none the worse
        orientation = 1
        notes += (f"its EXIF data are broken ({error}): it is read as it is stored",)
    height, width = image.height, image.width
    if exchanges_sides(orientation):
        height, width = width, height
    palette, gray, deep = image.mode in ("P", "PA"), image.mode in GRAY_MODES, image.mode == "I;16"
    if image.format == "PNG":
        depth, colour_type = _png_kind(file)
        gray, deep = colour_type in PNG_GRAY, depth == 16
    if palette:
        gray = _gray_palette(image)
    return Header(
        height,
        width,
        bands=1 if gray else 3,
        alpha=image.has_transparency_data,
        depth=2 if deep else 1,
        orientation=orientation,
        palette=palette,
        notes=notes,
    )


def _codec(image: Image.Image) -> Callable[[bytes], np.ndarray] | None:
    """What decodes a format in half to three quarters of Pillow's time, and as strictly.

    libpng keeps 16 bits, honours a transparent colour and refuses what is short. OpenCV refuses a truncated JPEG, which
    libjpeg by itself would fill with gray. libwebp gives the first picture of an animated WebP without its position.
    """
    if image.format == "PNG":
        return png_decode
    if image.format in ("JPEG", "MPO") and image.mode in ("L", "RGB"):
        return _decode_jpeg
    if image.format == "WEBP" and not getattr(image, "is_animated", False):
        return webp_decode
    return None


def _decode_jpeg(data: bytes) -> np.ndarray:
    flags = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if decoded is None:
        raise OSError("the image data end too early, or are broken")
    return np.asarray(decoded)


def _by_codec(codec: Callable[[bytes], np.ndarray], file: BinaryIO, header: Header, name: str) -> np.ndarray:
    """(H, W, channels) as stored."""
    most = 8 * header.height * header.width + SLACK
    file.seek(0)
    if len(data := file.read(most + 1)) > most:
        raise UnreadableImageError(f"{name}: the file is far larger than its picture")
    if codec is png_decode and (wrong := fault(data)) is not None:
        raise UnreadableImageError(f"{name}: truncated or damaged ({wrong})")
    samples = codec(data)
    samples = samples.reshape(*samples.shape[:2], -1)
    if header.bands == 1 and samples.shape[2] >= 3:  # a palette of grays, or gray as three
        samples = samples[:, :, [0, 3] if header.alpha else [0]]
    return np.asarray(samples)


def _by_pillow(image: Image.Image, header: Header) -> np.ndarray:
    """(H, W, channels) as stored."""
    image.load()
    if image.mode == "I;16":
        return np.asarray(image).astype(np.uint16)[:, :, None]
    wanted = ("L" if header.bands == 1 else "RGB") + ("A" if header.alpha else "")
    if image.mode != wanted:
        # A palette's transparency is known to the conversion to RGBA alone.
        image = image.convert("RGBA").convert(wanted) if header.alpha else image.convert(wanted)
    samples = np.asarray(image)
    return samples.reshape(*samples.shape[:2], -1)


def _gray_palette(image: Image.Image) -> bool:
    palette = np.array(image.getpalette("RGB")).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())


def _png_kind(file: BinaryIO) -> tuple[int, int]:
    """Bits of a sample and colour type of a PNG, since Pillow's mode of 16 bits is another one."""
    position = file.tell()
    file.seek(24)
    depth, colour_type = file.read(2)
    file.seek(position)
    return depth, colour_type
