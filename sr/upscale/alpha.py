"""Transparency beside a net: what it may draw into colours, and what it may not touch."""

import cv2
import numpy as np


def fill_transparent(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colour of fully transparent pixels replaced by that of the nearest pixel that shows.

    It is arbitrary, often black or white, and a net would draw it into the visible edge as a halo.

    Args:
        colour: (H, W, C) uint8 or uint16.
        alpha: (H, W, 1) of the same size.
    """
    hidden = (alpha[:, :, 0] == 0).astype(np.uint8)
    if not hidden.any() or hidden.all():
        return colour
    _, labels = cv2.distanceTransformWithLabels(hidden, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    shown = np.flatnonzero(hidden == 0)
    nearest = np.zeros(labels.max() + 1, np.int64)
    nearest[labels.ravel()[shown]] = shown
    filled = colour.copy()
    where = hidden.astype(bool)
    filled[where] = colour.reshape(-1, colour.shape[2])[nearest[labels[where]]]
    return filled


def keep_flat(alpha: np.ndarray, enlarged: np.ndarray, *, strip: int = 64) -> None:
    """Make alpha exactly opaque (transparent) where the 3 x 3 pixels of the original around it all are, in place.

    A net returns 254 for 255 as readily as not, which would make solid things faintly transparent.

    Args:
        alpha: (H, W, 1) uint8 or uint16.
        enlarged: (H*s, W*s, 1) of the same dtype for a whole number s.
        strip: rows of the original that are worked on at once.
    """
    scale = enlarged.shape[0] // alpha.shape[0]
    kernel = np.ones((3, 3), np.uint8)
    lowest, highest = cv2.erode(alpha, kernel), cv2.dilate(alpha, kernel)
    for value, flat in ((np.iinfo(alpha.dtype).max, lowest), (0, highest)):
        for top in range(0, len(alpha), strip):
            rows = (flat[top : top + strip] == value).repeat(scale, 0).repeat(scale, 1)
            enlarged[top * scale : (top + strip) * scale, :, 0][rows] = value
