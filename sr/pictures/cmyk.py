"""Pictures for printing, as RGB."""

import io

import numpy as np
from PIL import Image, ImageCms

GUESSED = "CMYK without a profile of its inks: its colours are a guess"
CONVERTED = "CMYK, converted to sRGB by its profile"
SPACE = slice(16, 20)  # position in a profile's header of its colour space (ICC.1, 7.2.6)


def note(icc: bytes | None) -> str:
    """The conversion of the colours in words. A profile of another space, such as RGB, says nothing about inks."""
    return CONVERTED if _of_inks(icc) else GUESSED


def to_rgb(image: Image.Image, icc: bytes | None) -> np.ndarray:
    """(H, W, 4) inks -> (H, W, 3) uint8: sRGB by the profile, or R = (1 - C)(1 - K) without one.

    Raises:
        ImageCms.PyCMSError, OSError: the profile is broken.
    """
    if icc is None or not _of_inks(icc):
        return np.asarray(image.convert("RGB"))
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None
    return np.asarray(converted)


def _of_inks(icc: bytes | None) -> bool:
    return icc is not None and icc[SPACE] == b"CMYK"
