"""What of a picture a net sees."""

import numpy as np

from sr.ops.no_data import filled, has_data
from sr.pictures.picture import Picture
from sr.upscale.alpha import fill_transparent


def seen_by_net(picture: Picture) -> tuple[np.ndarray, np.ndarray | None]:
    """The colour (H, W, C) without the arbitrary values of pixels that are not visible or have no data.

    Beside it: which values are data, as `sr.ops.no_data.has_data` says.
    """
    colour = picture.colour
    if picture.alpha is not None:
        colour = fill_transparent(colour, picture.alpha)
    valid = has_data(colour, nodata=picture.nodata)
    if valid is None:
        return colour, None
    shown = filled(colour, valid)
    shown[:, :, ~valid.any(axis=(0, 1))] = 0  # a band without any data, which a net could not take as it is
    return shown, valid
