"""Where frames come from: a film, or numbered pictures in a folder."""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np

from sr.pictures.picture import UnreadableImageError
from sr.pictures.reading import read_header, read_image
from sr.video.colour import BT709, Colour
from sr.video.decode import Damage, Frames, Timed
from sr.video.film import Film, UnreadableFilmError
from sr.video.layout import image_of, layout_of


class Source(Protocol):
    """Frames in the order in which they are shown, again from the first with each iteration.

    Attributes:
        film: the film that they are, or become.
        damage: the faults of those that were read.
    """

    @property
    def film(self) -> Film: ...

    @property
    def damage(self) -> Damage: ...

    def __iter__(self) -> Iterator[Timed]: ...

    def image(self, timed: Timed) -> np.ndarray:
        """(H, W, 1 or 3) uint16, gray or R'G'B'."""


class FilmSource(Frames):
    """The frames of a film."""

    def image(self, timed: Timed) -> np.ndarray:
        try:
            return image_of(timed.frame, self.film.layout, self.film.colour)
        except ValueError as error:
            raise UnreadableFilmError(f"{self.film.path}: {error}") from error


class PictureSource:
    """Pictures as the frames of a film of a constant rate.

    8 bits become yuv420p and 16 become yuv420p10le, both BT.709 of limited range. Gray and transparent pictures are
    read as training reads them: gray as colour, transparent laid on white.

    Args:
        folder: the name that messages give them.
        pictures: the files.
        rate: the frames of a second.

    Raises:
        UnreadableImageError: a picture has another size than the first.
    """

    def __init__(self, *, folder: Path, pictures: Sequence[Path], rate: Fraction) -> None:
        self.pictures = sorted(pictures, key=_numbered)
        self.damage = Damage()
        headers = [read_header(path) for path in self.pictures]
        height, width = headers[0].height, headers[0].width
        for path, header in zip(self.pictures, headers, strict=True):
            if (header.height, header.width) != (height, width):
                raise UnreadableImageError(
                    f"{path}: is {header.width} x {header.height}, the first frame {width} x {height}"
                )
        deep = max(header.depth for header in headers) > 1
        self.film = Film(
            path=folder,
            stream=-1,
            height=height,
            width=width,
            layout=layout_of("yuv420p10le" if deep else "yuv420p"),
            colour=Colour(BT709, full=False, primaries=BT709, transfer=BT709),
            time_base=1 / rate,
            rate=rate,
            frames=len(headers),
        )

    def __iter__(self) -> Iterator[Timed]:
        return (Timed(path, number, 1) for number, path in enumerate(self.pictures))

    def image(self, timed: Timed) -> np.ndarray:
        image = read_image(timed.frame)
        return image if image.dtype == np.uint16 else image.astype(np.uint16) * 257


def _numbered(path: Path) -> tuple[tuple[int, int | str], ...]:
    """Sorts 2.png before 10.png."""
    parts = re.split(r"(\d+)", str(path))
    return tuple((1, int(part)) if part.isdecimal() else (0, part) for part in parts)
