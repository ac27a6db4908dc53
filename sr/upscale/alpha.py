"""Colour under transparency, which must not reach a net."""

import cv2
import numpy as np


def fill_transparent(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Replace the colour of fully transparent pixels by that of the nearest visible pixel.

    That colour is arbitrary, often black or white, and a net would draw it into the visible edge as a halo.

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
