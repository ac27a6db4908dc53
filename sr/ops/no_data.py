"""Pixels without data: where they are, and what a net sees in their place."""

from typing import Any

import cv2
import numpy as np


def has_data(image: np.ndarray, *, nodata: float | None) -> np.ndarray | None:
    """Where an image has data, band by band: (H, W, C) -> (H, W, C) bool, or None where it has data everywhere.

    Args:
        image: (H, W, C) unsigned, signed or float values as stored.
        nodata: the value that stands for no data; None where there is no such value. A float that is not finite is no
            data in any case.
    """
    missing: np.ndarray | None = None
    if image.dtype.kind == "f":
        missing = ~np.isfinite(image)
    if nodata is not None and np.isfinite(nodata):
        # In the type of the image: the text of a tag has more digits than a float of 32 bits.
        same = image == (image.dtype.type(nodata) if image.dtype.kind == "f" else nodata)
        missing = same if missing is None else missing | same
    if missing is None or not missing.any():
        return None
    return np.asarray(~missing)


def filled(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """A copy in which pixels without data have the value of the nearest pixel with data of the same band.

    A band without any data stays as it is.

    Args:
        image: (H, W, C).
        valid: (H, W, C) bool, where there is data.
    """
    result = image.copy()
    if (valid == valid[:, :, :1]).all():  # the usual case: bands lack the same pixels
        _fill(result, valid[:, :, 0])
        return result
    for band in range(image.shape[2]):
        _fill(result[:, :, band : band + 1], valid[:, :, band])
    return result


def _fill(image: np.ndarray, valid: np.ndarray) -> None:
    """Fill (H, W, C) in place where (H, W) is false."""
    missing = ~valid
    if not missing.any() or missing.all():
        return
    _, labels = cv2.distanceTransformWithLabels(
        missing.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(valid)
    nearest = np.zeros(labels.max() + 1, np.int64)
    nearest[labels[rows, columns]] = np.arange(len(rows))
    source = nearest[labels[missing]]
    image[missing] = image[rows[source], columns[source]]


def enlarged(valid: np.ndarray, *, size: tuple[int, int]) -> np.ndarray:
    """The mask at another size, by the nearest pixel: (h, w, C) bool -> (*size, C) bool."""
    rows, columns = (
        np.minimum(((np.arange(new) + 0.5) * old / new).astype(np.int64), old - 1)
        for new, old in zip(size, valid.shape[:2], strict=True)
    )
    return np.asarray(valid[rows[:, None], columns[None]])


def without_data(image: np.ndarray, valid: np.ndarray, *, nodata: float | None) -> None:
    """Write no data, in place, where there is none: the value that stands for it, or NaN where there is no such value.

    Elsewhere a value that would by chance stand for no data becomes the next one.

    Args:
        image: (H, W, C) stored values.
        valid: (H, W, C) bool, where there is data.
        nodata: the value that stands for no data; None only for floats.
    """
    if nodata is not None and np.isfinite(nodata):
        value: Any = image.dtype.type(nodata)
        image[valid & (image == value)] = _next_to(value)
    image[~valid] = np.nan if nodata is None else image.dtype.type(nodata)


def _next_to(value: Any) -> Any:
    """The next value of the same NumPy type."""
    if isinstance(value, np.floating):
        return np.nextafter(value, type(value)(0 if value else 1))
    return type(value)(int(value) + (-1 if value == np.iinfo(type(value)).max else 1))
