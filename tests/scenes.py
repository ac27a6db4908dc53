"""Synthetic scenes of many bands."""

from pathlib import Path

import numpy as np
from helpers import picture

from sr.pictures.picture import Picture
from sr.pictures.writing import write_picture


def scene(
    height: int, width: int, *, bands: int = 4, dtype: str = "uint16", top: float = 3000, seed: int = 0
) -> np.ndarray:
    """Smooth values from 1 to about `top`, of another height in every band."""
    smooth = picture(height, width, seed=seed, channels=bands).astype(np.float64) / 255
    factors = np.linspace(1, 0.5, bands)
    return np.asarray((1 + smooth * factors * (top - 1)).astype(dtype))


def write_scene(path: Path, image: np.ndarray, *, nodata: float | None = None) -> Path:
    write_picture(path, Picture(image.copy(), nodata=nodata))
    return path


def write_scenes(folder: Path, *, count: int = 3, side: int = 64, hole: bool = False, **options: int) -> Path:
    """A folder of scenes of four bands of uint16; with `hole`, the first lacks data (0) in its upper left."""
    for number in range(count):
        image = scene(side, side + 16, seed=number, **options)
        empty = hole and number == 0
        if empty:
            image[:24, :30] = 0
        write_scene(folder / f"{number}.tif", image, nodata=0.0 if empty else None)
    return folder
