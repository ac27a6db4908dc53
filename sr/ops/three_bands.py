"""Three bands of images of many, for nets that were trained on photographs and for the eye."""

from collections.abc import Sequence

from torch import Tensor


def checked_bands(bands: Sequence[int] | None, *, key: str) -> list[int] | None:
    """The bands as a list, counted from 0; None stays None.

    Raises:
        ValueError: they are not three whole numbers of 0 or more.
    """
    if bands is None:
        return None
    found = list(bands)
    right = all(isinstance(band, int) and not isinstance(band, bool) and band >= 0 for band in found)
    if len(found) != 3 or not right:
        raise ValueError(
            f"{key}={found}: name three bands, counted from 0, for red, green and blue, as [2, 1, 0]"
        )
    return found


def check_bands(bands: Sequence[int] | None, *, channels: int, key: str) -> None:
    """Raises ValueError where images of so many channels lack these bands, or are not RGB and none are chosen."""
    if bands is None:
        if channels != 3:
            some = [min(band, channels - 1) for band in (2, 1, 0)]
            raise ValueError(
                f"channels={channels}: a net that was trained on RGB sees three bands: {key}={some} chooses them,"
                f" counted from 0 to {channels - 1}"
            )
    elif max(bands) >= channels:
        raise ValueError(
            f"{key}={list(bands)}: images of channels={channels} have the bands 0 to {channels - 1}"
        )


def three_of(images: Tensor, bands: Sequence[int] | None, *, key: str) -> Tensor:
    """(N, C, H, W) -> (N, 3, H, W), the chosen bands; images as they are where none are chosen.

    Raises:
        ValueError: the images do not have these bands.
    """
    if bands is None:
        return images
    check_bands(bands, channels=images.shape[1], key=key)
    return images[:, list(bands)]
