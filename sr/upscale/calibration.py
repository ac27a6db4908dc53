"""Tiles of a user's pictures: some by which a net is quantised, and others by which the result is measured."""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sr.ops.normalisation import Normalisation
from sr.pictures.picture import Header, UnreadableImageError
from sr.pictures.reading import read_header, read_picture
from sr.upscale.network import check_channels, in_channels
from sr.upscale.seen import seen_by_net

SIDE = 64  # of a tile, in pixels of the input
CALIBRATING, HELD_BACK = 64, 16  # at most: where there are fewer tiles, a fifth of them is held back
SEED = 0


@dataclass(frozen=True)
class Tiles:
    """Tiles as the net sees them, each (N, channels, H, W) float32 with sides of up to 64 pixels; none overlap.

    Attributes:
        calibrating: the tiles that show how large the values within the net become.
        held_back: the tiles that are not among them.
        pictures: the number of pictures that they are from.
    """

    calibrating: list[Tensor]
    held_back: list[Tensor]
    pictures: int

    @property
    def digest(self) -> str:
        """Eight letters that tell these tiles for calibration from others."""
        digest = hashlib.sha256()
        for tile in self.calibrating:
            digest.update(f"{tuple(tile.shape)}".encode() + tile.numpy().tobytes())
        return digest.hexdigest()[:8]

    def __str__(self) -> str:
        return (
            f"{len(self.calibrating)} tiles of {self.pictures} picture(s) for the calibration,"
            f" {len(self.held_back)} others to measure the result"
        )


@dataclass(frozen=True)
class _Place:
    file: Path
    top: int
    left: int


def draw_tiles(
    files: Sequence[Path], *, channels: int, by: Normalisation, report: Callable[[str], None] = print
) -> Tiles:
    """Draw tiles from pictures, the same ones every time: every tile of every picture is as likely as any other.

    Args:
        files: pictures such as the net will enlarge.
        channels: the channels of the net.
        by: the way between stored values and those of the net.
        report: a function that is called with the pictures that are left out, and why.

    Raises:
        ValueError: there are fewer than two tiles.
    """
    places = [place for file in files for place in _places(file, channels, by, report)]
    chosen = random.Random(SEED).sample(places, min(len(places), CALIBRATING + HELD_BACK))
    tiles = _cut(chosen, channels, by, report)
    if len(tiles) < 2:
        raise ValueError(
            f"int8: {len(files)} picture(s) give {len(tiles)} tile(s) of {SIDE} x {SIDE}, and one for the calibration"
            " and another to measure the result are needed: give more or larger pictures"
        )
    held_back = max(len(tiles) * HELD_BACK // (CALIBRATING + HELD_BACK), 1)
    return Tiles(
        calibrating=[tiles[place] for place in list(tiles)[held_back:]],
        held_back=[tiles[place] for place in list(tiles)[:held_back]],
        pictures=len({place.file for place in tiles}),
    )


def _places(file: Path, channels: int, by: Normalisation, report: Callable[[str], None]) -> list[_Place]:
    """The tiles of a picture, by its header; none where the net is not for it."""
    try:
        header = read_header(file)
        _check(header, channels, by)
    except ValueError as error:
        report(_left_out(file, error))
        return []
    rows, columns = (range(0, max(size - SIDE, 0) + 1, SIDE) for size in (header.height, header.width))
    return [_Place(file, top, left) for top in rows for left in columns]


def _check(header: Header, channels: int, by: Normalisation) -> None:
    check_channels(header.bands, net=channels)
    by.check(channels=header.bands, key="the normalisation of the net")
    if not by.takes(header.dtype):
        raise ValueError(f"the net is not for values of {header.dtype}")


def _cut(
    places: Sequence[_Place], channels: int, by: Normalisation, report: Callable[[str], None]
) -> dict[_Place, Tensor]:
    """The tiles in the order of their places. Each picture is read once, and only one is in memory."""
    found: dict[_Place, Tensor] = {}
    for file in dict.fromkeys(place.file for place in places):
        try:
            shown, _ = seen_by_net(read_picture(file))
        except UnreadableImageError as error:
            report(_left_out(file, error))
            continue
        for place in places:
            if place.file == file:
                stored = shown[place.top : place.top + SIDE, place.left : place.left + SIDE]
                values = np.ascontiguousarray(by.to_net(stored).transpose(2, 0, 1))
                found[place] = in_channels(torch.from_numpy(values)[None], channels).contiguous()
    return {place: found[place] for place in places if place in found}


def _left_out(file: Path, error: Exception) -> str:
    text = str(error)
    return f"left out of the calibration: {text if str(file) in text else f'{file}: {text}'}"
