"""Colour under transparency, which must not reach a net."""

import numpy as np

from sr.ops.no_data import filled


def fill_transparent(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Replace the colour of fully transparent pixels by that of the nearest visible pixel.

    That colour is arbitrary, often black or white, and a net would draw it into the visible edge as a halo.

    Args:
        colour: (H, W, C) uint8 or uint16.
        alpha: (H, W, 1) of the same size.
    """
    visible = alpha != 0
    return filled(colour, visible.repeat(colour.shape[2], axis=2)) if not visible.all() else colour
