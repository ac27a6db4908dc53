"""Pictures -> files, whole or not at all."""

import struct
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import cv2
import numpy as np
import tifffile

from sr.ops.whole_file import replacing
from sr.pictures.picture import Picture
from sr.pictures.png import write_png_stream
from sr.pictures.tiff import NODATA

# What a format can hold: longest side, bits per channel, transparency.
LONGEST = {
    ".png": 2**31 - 1,
    ".jpg": 65535,
    ".jpeg": 65535,
    ".webp": 16383,
    ".tif": 2**31 - 1,
    ".tiff": 2**31 - 1,
}
EIGHT_BIT = (".jpg", ".jpeg", ".webp")
OPAQUE = (".jpg", ".jpeg")
TIFF = (".tif", ".tiff")
QUALITY = 95  # of 100, for JPEG and WebP
STRIP = 256
SEGMENT = 65519  # bytes of a profile in one segment of a JPEG


def check_writable(folder: Path) -> None:
    """Make the folder and try it, so that hours of work do not end in a refusal. Raises OSError."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file: name a folder for the results")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):  # has a name of its own, so that no file of the user's is touched
            pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error  # names the folder, not the trial


def check_fits(path: Path, suffix: str, *, size: tuple[int, int]) -> None:
    """Raises ValueError if the format has no room for a result of this (height, width)."""
    height, width = size
    if max(height, width) > LONGEST[suffix]:
        raise ValueError(
            f"{path}: the result is {width} x {height}, and {suffix} ends at {LONGEST[suffix]}: choose --format png"
        )


def check_holds(path: Path, suffix: str, picture: Picture) -> None:
    """Raises ValueError if the format would lose depth, transparency or bands."""
    bands = picture.colour.shape[2]
    if picture.colour.dtype.kind != "u" and suffix not in TIFF:
        raise ValueError(
            f"{path}: holds {picture.colour.dtype}, and {suffix} does not: take a TIFF with --format same"
        )
    if bands not in (1, 3) and suffix not in TIFF:
        raise ValueError(
            f"{path}: has {bands} bands, and {suffix} holds gray or RGB: take a TIFF with --format same"
        )
    if picture.colour.dtype == np.uint16 and suffix in EIGHT_BIT:
        raise ValueError(f"{path}: has 16 bits per channel, and {suffix} holds 8: choose --format png")
    if picture.alpha is not None and suffix in OPAQUE:
        raise ValueError(f"{path}: is transparent, and {suffix} is not: choose --format png or webp")


def profile_fits(suffix: str, picture: Picture) -> bool:
    """Whether there is a profile and it is for as many channels as are written; WebP knows no gray."""
    if picture.colour.shape[2] not in (1, 3):
        return False
    space = b"GRAY" if picture.colour.shape[2] == 1 and suffix != ".webp" else b"RGB "
    return picture.icc is not None and picture.icc[16:20] == space


def write_picture(path: Path, picture: Picture) -> None:
    """Write the file; what was there before stays until the new one is complete.

    The colour array may be changed in the process.

    Raises:
        OSError: the disk is full, the folder is read-only, or the like.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    icc = picture.icc if profile_fits(path.suffix, picture) else None
    with replacing(path) as file:
        if path.suffix == ".png":
            write_png_stream(file, colour=picture.colour, alpha=picture.alpha, icc=icc)
        elif path.suffix in TIFF:
            _write_tiff(file, picture, icc)
        else:
            file.write(_encode(path, picture, icc))


def write_png(path: str | Path, image: np.ndarray) -> None:
    """Write (H, W, C) uint8 or uint16, gray or RGB, as PNG."""
    write_picture(Path(path).with_suffix(".png"), Picture(image))


def _write_tiff(file: BinaryIO, picture: Picture, icc: bytes | None) -> None:
    parts = [picture.colour] if picture.alpha is None else [picture.colour, picture.alpha]
    pixels = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
    bands = picture.colour.shape[2]
    # One sample is gray and three are colour; what lies beyond has to be said of each, alpha or not.
    extra = ["unspecified"] * (bands - 3 if bands == 3 else bands - 1)
    extra += ["unassalpha"] * (picture.alpha is not None)
    tifffile.imwrite(
        file,
        pixels[:, :, 0] if pixels.shape[2] == 1 else pixels,
        photometric="rgb" if bands == 3 else "minisblack",
        planarconfig="contig" if pixels.shape[2] > 1 else None,
        extrasamples=extra or None,
        compression="adobe_deflate",
        predictor=pixels.dtype.kind != "f",  # that of floats needs another library
        iccprofile=icc,
        metadata=None,
        extratags=[] if picture.nodata is None else [_nodata_tag(picture.nodata)],
    )


def _nodata_tag(value: float) -> tuple[int, str, int, str, bool]:
    """GDAL's tag: the number as text, whole ones without a point."""
    whole = value.is_integer() and abs(value) < 2**53  # infinity is not, nor NaN
    return NODATA, "s", 0, str(int(value)) if whole else repr(value), True


def _encode(path: Path, picture: Picture, icc: bytes | None) -> bytes:
    """JPEG or WebP; either is a fraction of the picture, so it may be made in memory."""
    pixels = picture.colour
    if picture.alpha is not None:
        colour = pixels if pixels.shape[2] == 3 else pixels.repeat(3, axis=2)
        pixels = np.concatenate((colour, picture.alpha), axis=2)
    if pixels.shape[2] >= 3:
        for top in range(0, len(pixels), STRIP):  # to OpenCV's order without a copy of the whole
            pixels[top : top + STRIP, :, :3] = pixels[top : top + STRIP, :, 2::-1].copy()
    if path.suffix == ".webp":
        kinds = [] if icc is None else [cv2.IMAGE_METADATA_ICCP]
        contents = [] if icc is None else [np.frombuffer(icc, np.uint8)]
        options = [cv2.IMWRITE_WEBP_QUALITY, QUALITY]
        done, encoded = cv2.imencodeWithMetadata(".webp", pixels, kinds, contents, options)
    else:
        # Colour at full resolution: halving it would undo a part of what the net did.
        options = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
        done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY, *options])
    if not done:
        raise OSError(f"{path}: a picture of shape {pixels.shape} cannot be encoded as {path.suffix}")
    return _with_profile(encoded.tobytes(), icc) if icc and path.suffix != ".webp" else encoded.tobytes()


def _with_profile(jpeg: bytes, icc: bytes) -> bytes:
    """A JPEG with its profile in as many segments as it takes (ICC.1, annex B.4); OpenCV writes a single one."""
    parts = [icc[start : start + SEGMENT] for start in range(0, len(icc), SEGMENT)]
    segments = b"".join(
        b"\xff\xe2"
        + struct.pack(">H", len(part) + 16)
        + b"ICC_PROFILE\0"
        + bytes([number, len(parts)])
        + part
        for number, part in enumerate(parts, start=1)
    )
    after_jfif = 4 + struct.unpack(">H", jpeg[4:6])[0]  # the first segment, which has to stay the first
    return jpeg[:after_jfif] + segments + jpeg[after_jfif:]
