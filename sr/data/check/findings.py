"""The faults of an image file that is meant for training."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from sr.data.sources import check_type
from sr.ops.no_data import filled, has_data
from sr.ops.normalisation import FULL_RANGE, Normalisation
from sr.pictures.picture import UnreadableImageError
from sr.pictures.reading import read_header, read_image

UNREADABLE, TINY, LOW_DETAIL, DUPLICATE, ODD = "unreadable", "tiny", "low detail", "duplicate", "odd mode"
KINDS = (UNREADABLE, TINY, LOW_DETAIL, DUPLICATE, ODD)
EXCLUDED = (UNREADABLE, TINY, LOW_DETAIL, DUPLICATE)  # odd pixel formats, which training converts
TILE = 32  # pixels
# Of 419 photographs (BSDS500, Set5, Set14) the least has 5.9; blurred by sigma = 3 nearly all are below 3.
LEAST_DETAIL = 3.0


@dataclass(frozen=True)
class Finding:
    """One fault of one file."""

    path: Path
    kind: str
    detail: str


@dataclass(frozen=True)
class Examined:
    """The faults found in one file, and the digest of its pixels, by which files are compared."""

    path: Path
    findings: tuple[Finding, ...]
    digest: str | None


def examine(path: Path, *, channels: int, smallest: int, by: Normalisation = FULL_RANGE) -> Examined:
    """Decode the whole file, as training would.

    Args:
        channels: the number of channels that training asks for.
        smallest: the side of the patches in pixels.
        by: the way from stored values to those of the net.
    """
    try:
        header = read_header(path)
        check_type(path, header, by=by)
        image = read_image(path, channels=channels)
    except UnreadableImageError as error:
        wrong = str(error).removeprefix(f"{path}: ")
        return Examined(path, (Finding(path, UNREADABLE, wrong),), None)
    found = [Finding(path, ODD, odd) for odd in header.conversions(channels)]
    height, width = header.height, header.width
    if min(height, width) < smallest:
        found.append(Finding(path, TINY, f"{width} x {height}, less than a patch of {smallest}"))
    if (measured := detail(image, nodata=header.nodata)) < LEAST_DETAIL:
        found.append(Finding(path, LOW_DETAIL, f"{measured:.2f}, less than {LEAST_DETAIL}"))
    digest = hashlib.sha256(str(image.shape).encode() + image.tobytes()).hexdigest()
    return Examined(path, tuple(found), digest)


def detail(image: np.ndarray, *, nodata: float | None = None) -> float:
    """Mean absolute Laplacian of luma, in levels of 8 bits: the value that nine tenths of the tiles stay below.

    Detail in one tenth of an image is enough: a bird before the sky is a good photograph, a blurred bird is not.

    Args:
        image: (H, W, C); more than three bands are replaced by their mean. Signed and float values count from the 1st
            to the 99th percentile of the image as the levels do from 0 to 255.
        nodata: the value of pixels without data, which are filled from their neighbours.
    """
    valid = has_data(image, nodata=nodata)
    levels = _levels(image if valid is None else filled(image, valid))
    luma = cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY) if image.shape[2] == 3 else levels.mean(2)
    edges = np.abs(cv2.Laplacian(luma, cv2.CV_32F, ksize=1))
    rows, columns = (max(side // TILE, 1) for side in luma.shape)
    tiles = [
        part.mean() for strip in np.array_split(edges, rows) for part in np.array_split(strip, columns, 1)
    ]
    return float(np.quantile(tiles, 0.9))


def _levels(image: np.ndarray) -> np.ndarray:
    """(H, W, C) stored values -> float32, in levels of 8 bits."""
    if image.dtype.kind == "u":
        return image.astype(np.float32) * np.float32(255 / np.iinfo(image.dtype).max)
    values = np.nan_to_num(image.astype(np.float32), posinf=0, neginf=0)
    low, high = np.percentile(values, [1, 99])
    return np.asarray((values - low) * np.float32(255 / max(high - low, 1e-30)), np.float32)


def duplicates(examined: Sequence[Examined]) -> list[Finding]:
    """Files with the same pixels as an earlier file, however they are stored."""
    first: dict[str, Path] = {}
    found = []
    for each in examined:
        if each.digest is None:
            continue
        original = first.setdefault(each.digest, each.path)
        if original != each.path:
            found.append(Finding(each.path, DUPLICATE, f"of {original}"))
    return found
