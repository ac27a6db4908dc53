"""Small files that readers get wrong, and the picture that is in each: made here, by other libraries than read them."""

import io
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image, ImageCms

HEIGHT, WIDTH = 24, 32


def scene(dtype: type = np.uint8, channels: int = 3) -> np.ndarray:
    """Ramps and noise, every channel another one."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    ramps = np.stack([(x * (c + 3) + y * (c + 1)) % 200 + 20 for c in range(channels)], -1)
    ramps[6:14, 5:20] = rng.integers(0, 256, (8, 15, channels))
    return (ramps * 257 + rng.integers(0, 90, ramps.shape) if dtype == np.uint16 else ramps).astype(dtype)


def planes(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image.transpose(2, 0, 1))


def tiff(stored: np.ndarray, **how: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, stored, metadata=None, **how)  # type: ignore[arg-type]
    return file.getvalue()


def tagged(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF with another value of a tag that has one of 16 or 32 bits."""
    content = bytearray(data)
    (place,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, place)
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        code, kind = struct.unpack_from("<HH", content, entry)
        if code == tag:
            struct.pack_into({3: "<H", 4: "<I"}[kind], content, entry + 8, value)
    return bytes(content)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(
    size: tuple[int, int],
    *,
    colour_type: int,
    depth: int,
    rows: bytes,
    before: bytes = b"",
    behind: bytes = b"",
) -> bytes:
    """(width, height) and filtered rows -> a file, with chunks before and behind the pixels."""
    head = chunk(b"IHDR", struct.pack(">2I5B", *size, depth, colour_type, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + head + before + pixels + behind + chunk(b"IEND", b"")


def unfiltered(image: np.ndarray) -> bytes:
    big_endian = image.astype(image.dtype.newbyteorder(">"))
    return b"".join(b"\0" + row.tobytes() for row in big_endian)


def pillow(image: Image.Image, kind: str, **how: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


RGB, RGB16, FOUR, FOUR16, SIX = (
    scene(),
    scene(np.uint16),
    scene(channels=4),
    scene(np.uint16, 4),
    scene(np.uint16, 6),
)
GRAY, GRAY16 = RGB[:, :, :1], RGB16[:, :, :1]
ALPHA = np.repeat(np.repeat(np.array([[[255], [60]]], np.uint8), HEIGHT, 0), WIDTH // 2, 1)
PREMULTIPLIED = np.round(RGB * (ALPHA / 255)).astype(np.uint8)
EXIF = Image.Exif()
EXIF[0x0112] = 6
TURNED = np.rot90(RGB, -1)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
KEY = struct.pack(">3H", *map(int, RGB16[0, 0]))
PALETTE16 = (np.arange(768).reshape(3, 256) * 85).astype(np.uint16)

# Name -> content, (H, W, bands) as it is meant, (H, W, 1) alpha.
PICTURES: dict[str, tuple[bytes, np.ndarray, np.ndarray | None]] = {
    "planar8.tif": (tiff(planes(RGB), photometric="rgb", planarconfig="separate"), RGB, None),
    "planar16.tif": (tiff(planes(RGB16), photometric="rgb", planarconfig="separate"), RGB16, None),
    "planar16_deflate.tif": (
        tiff(planes(RGB16), photometric="rgb", planarconfig="separate", compression="adobe_deflate"),
        RGB16,
        None,
    ),
    "lzw.tif": (tiff(RGB16, photometric="rgb", compression="lzw", predictor=True), RGB16, None),
    "zstd_tiled.tif": (tiff(RGB16, photometric="rgb", compression="zstd", tile=(16, 16)), RGB16, None),
    "black3_8.tif": (tiff(RGB, photometric="minisblack", planarconfig="contig"), RGB, None),
    "black3_16.tif": (tiff(RGB16, photometric="minisblack", planarconfig="contig"), RGB16, None),
    "black3_16_planar.tif": (
        tiff(planes(RGB16), photometric="minisblack", planarconfig="separate"),
        RGB16,
        None,
    ),
    "black4_8.tif": (tiff(FOUR, photometric="minisblack", planarconfig="contig"), FOUR, None),
    "black4_16.tif": (tiff(FOUR16, photometric="minisblack", planarconfig="contig"), FOUR16, None),
    "black4_planar.tif": (tiff(planes(FOUR), photometric="minisblack", planarconfig="separate"), FOUR, None),
    "rgb4_unmarked.tif": (tiff(FOUR, photometric="rgb", extrasamples=["unspecified"]), FOUR, None),
    "black6_16.tif": (tiff(SIX, photometric="minisblack", planarconfig="contig"), SIX, None),
    "white8.tif": (tiff(255 - GRAY[:, :, 0], photometric="miniswhite"), GRAY, None),
    "white16.tif": (tiff(65535 - GRAY16[:, :, 0], photometric="miniswhite"), GRAY16, None),
    "big_endian16.tif": (tiff(RGB16, photometric="rgb", byteorder=">"), RGB16, None),
    "big_tiff.tif": (tiff(RGB16, photometric="rgb", bigtiff=True), RGB16, None),
    "bilevel.tif": (
        tiff(GRAY[:, :, 0] > 127, photometric="minisblack"),
        ((GRAY > 127) * 255).astype(np.uint8),
        None,
    ),
    "twelve_bits.tif": (
        tiff(GRAY16[:, :, 0] >> 4, photometric="minisblack", bitspersample=12),
        np.round((GRAY16 >> 4) * (65535 / 4095)).astype(np.uint16),
        None,
    ),
    "palette.tif": (
        tiff(GRAY[:, :, 0], photometric="palette", colormap=PALETTE16),
        (PALETTE16 >> 8).astype(np.uint8).T[GRAY[:, :, 0]],
        None,
    ),
    "alpha8.tif": (
        tiff(np.dstack([RGB, ALPHA]), photometric="rgb", extrasamples=["unassalpha"]),
        RGB,
        ALPHA,
    ),
    "alpha8_associated.tif": (
        tiff(np.dstack([PREMULTIPLIED, ALPHA]), photometric="rgb", extrasamples=["assocalpha"]),
        np.minimum(np.round(PREMULTIPLIED / (ALPHA / 255)), 255).astype(np.uint8),
        ALPHA,
    ),
    "five_and_alpha.tif": (
        tiff(
            np.dstack([SIX[:, :, :5], ALPHA.astype(np.uint16) * 257]),
            photometric="minisblack",
            planarconfig="contig",
            extrasamples=["unspecified"] * 4 + ["unassalpha"],
        ),
        SIX[:, :, :5],
        ALPHA.astype(np.uint16) * 257,
    ),
    "turned.png": (pillow(Image.fromarray(RGB), "PNG", exif=EXIF), TURNED, None),
    "turned16_behind.png": (
        png(
            (WIDTH, HEIGHT),
            colour_type=2,
            depth=16,
            rows=unfiltered(RGB16),
            behind=chunk(b"eXIf", EXIF.tobytes()[6:]),
        ),
        np.rot90(RGB16, -1),
        None,
    ),
    "turned.webp": (pillow(Image.fromarray(RGB), "WEBP", exif=EXIF, lossless=True), TURNED, None),
    "turned.tif": (pillow(Image.fromarray(RGB), "TIFF", exif=EXIF), TURNED, None),
    "turned.jpg": (
        jpeg := pillow(Image.fromarray(RGB), "JPEG", exif=EXIF, quality=98),
        np.rot90(np.asarray(Image.open(io.BytesIO(jpeg))), -1),
        None,
    ),
    "key16.png": (
        png((WIDTH, HEIGHT), colour_type=2, depth=16, rows=unfiltered(RGB16), before=chunk(b"tRNS", KEY)),
        RGB16,
        ((RGB16[0, 0] != RGB16).any(-1, keepdims=True) * 65535).astype(np.uint16),
    ),
    "key8_gray.png": (
        pillow(Image.fromarray(GRAY[:, :, 0]), "PNG", transparency=int(GRAY[3, 4, 0])),
        GRAY,
        ((GRAY[3, 4, 0] != GRAY) * 255).astype(np.uint8),
    ),
    "cmyk_rgb_profile.jpg": (
        cmyk := pillow(Image.fromarray(RGB).convert("CMYK"), "JPEG", icc_profile=SRGB, quality=98),
        np.asarray(Image.open(io.BytesIO(cmyk)).convert("RGB")),
        None,
    ),
    "cmyk.tif": (pillow(Image.fromarray(RGB).convert("CMYK"), "TIFF"), RGB, None),
}


def damaged() -> bytes:
    content = bytearray(tiff(RGB16, photometric="rgb", compression="adobe_deflate"))
    content[len(content) // 2 : len(content) // 2 + 40] = bytes(40)
    return bytes(content)


# Name -> content, what is said.
REFUSED: dict[str, tuple[bytes, str]] = {
    "claims_60000.png": (
        png((60000, 60000), colour_type=2, depth=8, rows=bytes(1000)),
        "its header says 60000 x 60000 pixels, more than 500,000,000",
    ),
    "bilevel_30000.png": (
        png((30000, 30000), colour_type=0, depth=1, rows=b"\0" + bytes(3750)),
        "its header says 30000 x 30000 pixels, more than 500,000,000",
    ),
    "many_bands.tif": (
        tagged(tagged(tiff(SIX, photometric="minisblack", planarconfig="contig"), 256, 20000), 257, 20000),
        "its header says 20000 x 20000 pixels, more than 500,000,000",
    ),
    "deflate_damaged.tif": (damaged(), r"truncated or damaged \("),
    "width_0.tif": (tagged(tiff(RGB, photometric="rgb"), 256, 0), "0 x 24 pixels are not a picture"),
    "strip_beyond_the_end.tif": (
        tagged(tiff(RGB, photometric="rgb"), 273, 10_000_000),
        "truncated: 1 of 1 strips",
    ),
    "truncated.png": (pillow(Image.fromarray(RGB), "PNG")[:-100], r"truncated or damaged \("),
    "too_few_rows.png": (
        png((WIDTH, HEIGHT), colour_type=2, depth=16, rows=unfiltered(RGB16[: HEIGHT // 2])),
        r"truncated or damaged \(",
    ),
    "empty.png": (b"", "the file is empty"),
    "text.png": (b"no picture at all", "not an image, or a truncated one"),
    "program.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image, or a truncated one"),
    "signed.tif": (
        tiff(RGB.astype(np.int8), photometric="rgb"),
        "pixels are int8; read are unsigned integers",
    ),
    "lab.tif": (tagged(tiff(RGB, photometric="rgb"), 262, 8), "a TIFF of the kind CIELAB is not read"),
}
