"""Files -> pictures: depth, alpha, orientation and profile kept, everything broken refused."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from sr.ops.image import UnreadableImageError
from sr.upscale.picture import Picture

# A header of a few bytes can announce any size. Half a gigapixel is five photographs of 100 megapixels.
MOST_PIXELS = 500_000_000
ORIENTATION = 0x0112
BITS_PER_SAMPLE = 258
# Pillow's modes that are 8-bit gray or colour once converted.
GRAY_MODES = ("1", "L", "LA", "La")
COLOUR_MODES = ("RGB", "RGBA", "RGBX", "RGBa", "P", "PA", "YCbCr", "CMYK")


def read_picture(path: Path) -> Picture:
    """Read the first picture of a file, turned as its EXIF orientation says.

    Gray stays gray, 16 bit stays 16 bit, palettes become colours, CMYK becomes RGB by its profile.

    Raises:
        UnreadableImageError: names the file and what is wrong with it.
    """
    data = _bytes(path)
    try:
        with _any_size(), Image.open(io.BytesIO(data)) as image:
            _check_size(path, image.size)
            frames = getattr(image, "n_frames", 1)
            notes = (f"{path}: taken is the first of {frames} pictures in it",) if frames > 1 else ()
            if _is_deep(image, data):
                return _read_deep(path, data, image, notes)
            return _read_pillow(path, image, notes)
    except UnreadableImageError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{path}: {_unknown(data)}") from error
    # Pillow's decoders raise whatever the broken bytes lead them to.
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, cv2.error) as error:
        raise UnreadableImageError(f"{path}: truncated or broken ({error})") from error


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
    try:
        with _any_size(), Image.open(path) as image:
            _check_size(path, image.size)
            width, height = image.size
            with path.open("rb") as file:
                deep = _is_deep(image, file.read(32))
            bands = 3 if image.mode in ("P", "CMYK") else len(image.getbands())
            return Header(height, width, bands * (2 if deep else 1))
    except UnreadableImageError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{path}: {_unknown(_bytes(path))}") from error
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError) as error:
        raise UnreadableImageError(f"{path}: truncated or broken ({error})") from error


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableImageError(f"{path}: {error.strerror}") from error
    if not data:
        raise UnreadableImageError(f"{path}: the file is empty (zero bytes)")
    return data


@contextmanager
def _any_size() -> Iterator[None]:
    """Pillow's own limit would refuse photographs of 180 megapixels and warn of 90; ours is checked instead."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _check_size(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MOST_PIXELS:
        raise UnreadableImageError(
            f"{path}: its header says {width} x {height} pixels, more than {MOST_PIXELS:,} and so taken for a"
            " decompression bomb"
        )


def _is_deep(image: Image.Image, data: bytes) -> bool:
    """16 bits per channel, which Pillow would quietly turn into 8."""
    if image.format == "PNG":
        return data[24] == 16
    if image.format == "TIFF":
        return bool(max(image.tag_v2.get(BITS_PER_SAMPLE, (1,))) > 8)  # type: ignore[attr-defined]
    return image.mode.startswith("I")


def _read_pillow(path: Path, image: Image.Image, notes: tuple[str, ...]) -> Picture:
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


def _read_deep(path: Path, data: bytes, image: Image.Image, notes: tuple[str, ...]) -> Picture:
    """16 bits per channel, from PNG or TIFF."""
    icc, orientation = image.info.get("icc_profile"), image.getexif().get(ORIENTATION, 1)
    if image.format == "TIFF":
        pixels = _tiff_pixels(path, data)
    else:
        gray = image.mode.startswith("I") or data[25] in (0, 4)  # the colour type of a PNG
        with Image.open(io.BytesIO(data)) as again:
            again.verify()  # the checksums of all chunks, since OpenCV fills what is missing with black
        pixels = _png_pixels(path, data, gray=gray)
    if pixels.dtype != np.uint16:
        raise UnreadableImageError(
            f"{path}: pixels are {pixels.dtype}; read are 8 and 16 bit unsigned integers"
        )
    return _picture(np.ascontiguousarray(_upright(pixels, orientation)), icc=icc, notes=notes)


def _png_pixels(path: Path, data: bytes, *, gray: bool) -> np.ndarray:
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise UnreadableImageError(f"{path}: truncated or broken")
    if decoded.ndim == 2:
        return np.asarray(decoded[:, :, None])
    if gray:  # gray with alpha comes as colour
        return np.asarray(decoded[:, :, [0, 3]])
    return np.asarray(decoded[:, :, [2, 1, 0, 3][: decoded.shape[2]]])


def _tiff_pixels(path: Path, data: bytes) -> np.ndarray:
    """(H, W, C) as stored: by pixel or by plane, any compression that OpenCV or tifffile know."""
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages.first
        samples, planes = page.samplesperpixel, int(page.planarconfig) == 2
        if page.dtype != np.uint16 or samples > 4:
            raise UnreadableImageError(
                f"{path}: {samples} channels of {page.dtype}; read are 1 to 4 of 8 and 16 bit unsigned integers"
            )
        if page.photometric not in (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.RGB):
            raise UnreadableImageError(f"{path}: 16 bit TIFF of the kind {page.photometric!s} is not read")
        try:
            pixels = page.asarray()
        except ValueError:  # compressions such as LZW that tifffile needs another package for
            decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
            if decoded is None or samples == 2:
                raise
            return decoded.reshape(*decoded.shape[:2], -1)[
                :, :, [0] if samples == 1 else [2, 1, 0, 3][:samples]
            ]
    if planes and samples > 1:
        pixels = pixels.transpose(1, 2, 0)
    return np.asarray(pixels.reshape(*pixels.shape[:2], samples))


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """As EXIF says: 2 to 4 mirror or turn, from 5 on the axes are exchanged."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation, ())
    return np.flip(pixels, flips)


def _picture(pixels: np.ndarray, *, icc: bytes | None, notes: tuple[str, ...]) -> Picture:
    channels = pixels.shape[2]
    if channels in (1, 3):
        return Picture(pixels, icc=icc, notes=notes)
    colour, alpha = (np.ascontiguousarray(part) for part in np.split(pixels, [channels - 1], axis=2))
    # An alpha channel that hides nothing costs a pass through the net and forbids JPEG.
    opaque = bool((alpha == np.iinfo(alpha.dtype).max).all())
    return Picture(colour, alpha=None if opaque else alpha, icc=icc, notes=notes)


def _unknown(data: bytes) -> str:
    """Pillow knows no name for TIFFs of some kinds of pixels; tifffile does."""
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            page = tiff.pages.first
            return (
                f"a TIFF of {page.samplesperpixel} channels of {page.dtype}, compression {page.compression!s}, is"
                " not read; read are 1 to 4 of 8 and 16 bit unsigned integers"
            )
    except (tifffile.TiffFileError, IndexError):
        return "no image, or a truncated one"
