"""TIFF files by tifffile: every layout, depth and compression, read as the tags say.

How samples become a picture: an ExtraSamples tag of 1 or 2 marks alpha, and every other sample is a band. One band is
gray, three are RGB, whether the file calls them RGB or, as GDAL does, min-is-black; any other number stays bands. So
four samples of which none is marked are four bands, never colour and alpha. Signed and float samples are bands alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import prod
from typing import Any, BinaryIO

import numpy as np
import tifffile
from PIL import Image
from tifffile import PHOTOMETRIC

from sr.pictures import cmyk
from sr.pictures.orientation import exchanges_sides, upright, valid
from sr.pictures.picture import Header, Picture, UnreadableImageError

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ORIENTATION, INK_SET, PROFILE, NODATA = 274, 332, 34675, 42113  # tags
# Size of a pixel, tie points, transformation, and keys of GeoTIFF.
GEOREFERENCE = (33550, 33922, 34264, 34735)
ASSOCIATED, UNASSOCIATED = 1, 2  # values of ExtraSamples
JPEG = (6, 7, 34892, 33007)  # compressions whose decoder turns YCbCr into RGB
PAGES = 8  # behind the first that are looked at
LARGEST_TILE = 1 << 24  # values of a tile that may lie outside of the picture
READ = "read are unsigned integers of 8 and 16 bits, signed ones of 16, and floats of 32"
BANDS = ("int16", "float32")  # the types of measured values, which are no colours


@dataclass(frozen=True)
class Layout:
    """How the first page of a file stores its picture.

    Attributes:
        bits: the bits of a sample.
        samples: the number of samples of a pixel.
        alpha: the index of the alpha sample, or None.
        associated: whether colours are stored multiplied by alpha.
        photometric: the colour interpretation that the file declares.
        header: the header of the picture that decoding gives.
    """

    bits: int
    samples: int
    alpha: int | None
    associated: bool
    photometric: PHOTOMETRIC
    header: Header


@contextmanager
def opened(file: BinaryIO, name: str) -> Iterator[tuple[Header, Callable[[], Picture]]]:
    """The header of the first picture of the file, and what decodes it.

    Raises:
        UnreadableImageError: pixels that are not read, or other ones than the tags say.
        Exception: whatever broken bytes lead the decoders to.
    """
    with tifffile.TiffFile(file) as tiff:
        layout = _layout(tiff, name)
        yield layout.header, partial(_decode, tiff.pages.first, file, layout, name)


def _decode(page: Any, file: BinaryIO, layout: Layout, name: str) -> Picture:
    _check_segments(page, size=file.seek(0, 2), name=name)
    # One thread: loader processes have a core each.
    samples = _by_pixel(page.asarray(squeeze=False, maxworkers=1), page, layout, name)
    colour, alpha, icc = _meaning(samples, layout, page)
    turn = layout.header.orientation
    return Picture(
        upright(colour, turn),
        alpha=None if alpha is None else upright(alpha, turn),
        icc=icc,
        notes=layout.header.notes,
        nodata=layout.header.nodata,
        georeferenced=layout.header.georeferenced,
    )


def _meaning(
    samples: np.ndarray, layout: Layout, page: Any
) -> tuple[np.ndarray, np.ndarray | None, bytes | None]:
    """(H, W, samples) as stored -> colour, alpha and profile."""
    if layout.photometric == PHOTOMETRIC.PALETTE:  # its samples are indices into a table, not levels
        colour = _colours(page.colormap)[samples[:, :, 0]][:, :, : layout.header.bands]
        return colour, None, _profile(page)
    if samples.dtype.name in BANDS:
        return samples.astype(samples.dtype.newbyteorder("="), copy=False), None, None
    samples = _full_range(samples, layout.bits)
    alpha = None
    if layout.alpha is not None:
        alpha = samples[:, :, layout.alpha : layout.alpha + 1]
        samples = np.delete(samples, layout.alpha, axis=2)
    if layout.photometric == PHOTOMETRIC.MINISWHITE:
        samples = np.iinfo(samples.dtype).max - samples
    if alpha is not None and layout.associated:
        samples = _unassociated(samples, alpha)
    if layout.photometric == PHOTOMETRIC.SEPARATED:
        inks = Image.fromarray(np.ascontiguousarray(samples), "CMYK")
        return cmyk.to_rgb(inks, _profile(page)), alpha, None
    return samples, alpha, _profile(page)


def _layout(tiff: tifffile.TiffFile, name: str) -> Layout:
    page = tiff.pages.first
    _check_kind(page, name)
    bits, samples, depth = page.bitspersample, int(page.samplesperpixel), page.imagedepth
    alphas = [
        samples - len(page.extrasamples) + index
        for index, kind in enumerate(page.extrasamples)
        if kind in (ASSOCIATED, UNASSOCIATED)
    ]
    alpha = alphas[0] if alphas else None
    bands = samples - (alpha is not None)
    photometric = PHOTOMETRIC(page.photometric)
    palette = photometric == PHOTOMETRIC.PALETTE
    if len(alphas) > 1 or depth != 1 or (palette and samples != 1):
        raise UnreadableImageError(
            f"{name}: a TIFF of {samples} samples, {len(alphas)} of them alpha, and depth {depth} is not read"
        )
    icc = _profile(page)
    notes = _pages(tiff)
    if palette:
        bands = 1 if _is_gray(_colours(page.colormap)) else 3
    if photometric == PHOTOMETRIC.SEPARATED:
        if bands != 4 or bits != 8 or page.tags.valueof(INK_SET, 1) != 1:
            raise UnreadableImageError(
                f"{name}: a TIFF of {bands} inks of {bits} bits is not read; CMYK of 8 bits is"
            )
        bands, notes = 3, (*notes, cmyk.note(icc))
    orientation = valid(page.tags.valueof(ORIENTATION))
    height, width = int(page.imagelength), int(page.imagewidth)  # broken tags may hold several
    if exchanges_sides(orientation):
        height, width = width, height
    measured = page.dtype is not None and page.dtype.name in BANDS
    value_bytes = bits // 8 if measured else 1 if bits <= 8 else 2
    nodata, unclear = _nodata(page)
    header = Header(
        height,
        width,
        bands,
        alpha is not None,
        value_bytes,
        orientation=orientation,
        palette=palette,
        notes=(*notes, *unclear),
        kind=page.dtype.kind if measured and page.dtype is not None else "u",
        nodata=nodata,
        georeferenced=any(tag in page.tags for tag in GEOREFERENCE),
    )
    associated = alpha is not None and page.extrasamples[alphas[0] - samples] == ASSOCIATED
    return Layout(bits, samples, alpha, associated, photometric, header)


def _check_kind(page: Any, name: str) -> None:
    """Raises UnreadableImageError for pixels that are not read."""
    bits, dtype = page.bitspersample, page.dtype
    unsigned = dtype is not None and isinstance(bits, int) and dtype.kind in "bu" and bits <= 16
    if not unsigned and (dtype is None or dtype.name not in BANDS):
        kind = dtype.name if dtype is not None else f"of {bits} bits and sample format {page.sampleformat}"
        raise UnreadableImageError(f"{name}: pixels are {kind}; {READ}")
    known = {PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB, PHOTOMETRIC.PALETTE}
    known |= {PHOTOMETRIC.SEPARATED}
    if page.compression in JPEG:
        known |= {PHOTOMETRIC.YCBCR}
    if page.photometric not in known:
        kind = getattr(page.photometric, "name", page.photometric)
        raise UnreadableImageError(
            f"{name}: a TIFF of the kind {kind} is not read; read are gray, RGB, palettes and CMYK"
        )
    if not unsigned:
        _check_bands(page, name)
    if len(page.extrasamples) >= page.samplesperpixel:
        raise UnreadableImageError(
            f"{name}: says that {len(page.extrasamples)} of its {page.samplesperpixel} samples are extra ones"
        )


def _check_bands(page: Any, name: str) -> None:
    """Raises UnreadableImageError for signed and float samples that the file calls something else than bands."""
    if page.photometric not in (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB):
        kind = getattr(page.photometric, "name", page.photometric)
        raise UnreadableImageError(f"{name}: {page.dtype} of the kind {kind} is not read; bands and RGB are")
    if any(kind in (ASSOCIATED, UNASSOCIATED) for kind in page.extrasamples):
        raise UnreadableImageError(
            f"{name}: {page.dtype} with a sample that is marked as alpha is not read: leave the mark out"
            " (ExtraSamples 0) where it is a band"
        )


def _nodata(page: Any) -> tuple[float | None, tuple[str, ...]]:
    """The value of pixels without data, which GDAL writes as text, and a note where that is no number."""
    text = page.tags.valueof(NODATA)
    if text is None:
        return None, ()
    stored = page.photometric in (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB) and page.bitspersample in (
        8,
        16,
        32,
    )
    if not stored:  # reading gives other levels than those of the file
        return None, (f"its no-data value {text} is left out of account",)
    try:
        return float(str(text).strip("\0 ")), ()
    except ValueError:
        return None, (f"its no-data value {text!r} is no number and is left out of account",)


def _pages(tiff: tifffile.TiffFile) -> tuple[str, ...]:
    """A note where there are pictures beside the first; smaller copies of it are none.

    Not all pages are looked at, of which there can be thousands.
    """
    pages: Any = tiff.pages
    several = any(not page.is_reduced for page in islice(pages, 1, 1 + PAGES))
    return ("taken is the first of several pictures in it",) if several else ()


def _profile(page: Any) -> bytes | None:
    icc = page.tags.valueof(PROFILE)
    return bytes(icc) if icc else None


def _check_segments(page: Any, *, size: int, name: str) -> None:
    """tifffile fills what is missing with zeros. Raises UnreadableImageError where strips or tiles lie beyond the end.

    A tile at 0 of 0 bytes is one that was left out on purpose (GDAL's sparse files) and is zero.
    """
    if prod(page.chunks) > prod(page.shaped) + LARGEST_TILE:  # each is decoded whole before it is cut
        raise UnreadableImageError(f"{name}: damaged: its tiles are far larger than the picture")
    expected = prod(page.chunked)
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    if page.is_contiguous:  # is read in one go, whatever the counts say
        expected, segments = 1, [(page.dataoffsets[0], prod(page.shaped) * page.bitspersample // 8)]
    missing = sum(place + count > size or (count == 0 and place != 0) for place, count in segments)
    missing += max(expected - len(segments), 0)
    if missing:
        raise UnreadableImageError(f"{name}: truncated: {missing} of {expected} strips or tiles are missing")


def _by_pixel(pixels: np.ndarray, page: Any, layout: Layout, name: str) -> np.ndarray:
    """(samples or 1, 1, H, W, 1 or samples) -> (H, W, samples). Raises where the shape is not that of the tags."""
    if pixels.shape != tuple(page.shaped) or pixels.dtype != page.dtype:
        raise UnreadableImageError(
            f"{name}: decoded are {pixels.dtype} of {pixels.shape} where its header says {page.dtype} of {page.shaped}"
        )
    planes = pixels[:, 0].transpose(1, 2, 3, 0)  # (H, W, contiguous samples, planes): one of them is 1
    return planes.reshape(*planes.shape[:2], layout.samples)


def _full_range(samples: np.ndarray, bits: int) -> np.ndarray:
    """Levels of any number of bits up to 16 -> the nearest of uint8 or uint16."""
    dtype = np.uint8 if bits <= 8 else np.uint16
    if bits in (8, 16):
        return samples
    levels = np.arange(1 << bits) * (np.iinfo(dtype).max / ((1 << bits) - 1))
    return np.asarray(levels.round().astype(dtype)[samples.astype(dtype)])


def _colours(colormap: np.ndarray | None) -> np.ndarray:
    """(numbers, 3) uint8 of a ColorMap, which has 16 bits; some writers put 8-bit values in it."""
    table = np.asarray(colormap).T
    return (table if table.max() < 256 else table >> 8).astype(np.uint8)


def _is_gray(colours: np.ndarray) -> bool:
    return bool((colours == colours[:, :1]).all())


def _unassociated(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours as they are under an alpha that they were multiplied by; black where it hides everything."""
    top = np.iinfo(colour.dtype).max
    share = np.maximum(alpha, 1).astype(np.float64) / top
    return np.asarray(np.minimum(np.round(colour / share), top).astype(colour.dtype))
