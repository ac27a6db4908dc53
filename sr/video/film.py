"""What a film is, before its frames are read: size, pixels, colour, clock, rotation, and the streams beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from sr.video.colour import FULL, RGB, UNSPECIFIED, Colour, matrix_of
from sr.video.layout import FULL_RANGE, Layout, layout_of
from sr.video.library import import_av

# Side data of frames that PyAV cannot write. They describe HDR for screens, and no pixel depends on them.
LEFT_OUT = {
    "MASTERING_DISPLAY_METADATA": "the mastering display of HDR",
    "CONTENT_LIGHT_LEVEL": "the light levels of HDR",
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DOVI_RPU_BUFFER": "Dolby Vision",
    "DOVI_METADATA": "Dolby Vision",
}


class UnreadableFilmError(ValueError):
    """A file that holds no film, is damaged beyond its first frame, or holds one that cannot be handled."""


@dataclass(frozen=True)
class Film:
    """The properties of a film.

    Attributes:
        path: its file; for frames in a folder, the folder.
        stream: the index of the video stream that is enlarged.
        height: the height of a frame as it is coded, before rotation, in pixels.
        width: its width.
        layout: the form in which pixels are stored.
        colour: the meaning of their numbers.
        time_base: the unit of time stamps in seconds.
        rate: the average number of frames per second.
        frames: the expected number of frames; None if nothing tells it.
        pixel_aspect: the width of a pixel by its height; None if not stated.
        rotation: the nine numbers of the display matrix; None without one.
        notes: a phrase for everything that is guessed, changed or left out.
    """

    path: Path
    stream: int
    height: int
    width: int
    layout: Layout
    colour: Colour
    time_base: Fraction
    rate: Fraction
    frames: int | None
    pixel_aspect: Fraction | None = None
    rotation: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The container of a film. Raises UnreadableFilmError if the file is none, OSError if it cannot be read."""
    av = import_av()
    try:
        container = av.open(
            str(path.resolve()), metadata_errors="replace"
        )  # absolute: a name is never an address
    except (av.error.InvalidDataError, av.error.EOFError) as error:
        raise UnreadableFilmError(f"{path}: not a film, or damaged at its beginning or its end") from error
    with container:
        yield container


def read_film(path: Path) -> Film:
    """Read the properties of a film from its header and its first frame.

    Raises:
        UnreadableFilmError: names the file and what is wrong with it.
    """
    with opened(path) as container:
        stream = _main_stream(container, path)
        frame = _first_frame(container, stream, path)
        try:
            return _described(path, container, stream, frame)
        except ValueError as error:
            raise UnreadableFilmError(f"{path}: {error}") from error


def is_cover(stream: Any) -> bool:
    """Whether a video stream is a single picture that stands for the film."""
    return stream.type == "video" and bool(stream.disposition & import_av().stream.Disposition.attached_pic)


def _main_stream(container: Any, path: Path) -> Any:
    moving = [each for each in container.streams.video if not is_cover(each)]
    best = container.streams.best("video")
    if not moving or best is None:
        raise UnreadableFilmError(f"{path}: has no video stream")
    return best if best in moving else moving[0]


def _first_frame(container: Any, stream: Any, path: Path) -> Any:
    av = import_av()
    for packet in container.demux(stream):
        try:
            for frame in packet.decode():
                return frame
        except av.error.InvalidDataError:
            continue  # what is lost is counted when all frames are read
    raise UnreadableFilmError(f"{path}: none of its frames can be decoded")


def _described(path: Path, container: Any, stream: Any, frame: Any) -> Film:
    layout = layout_of(frame.format.name)
    full = int(frame.color_range) == FULL or frame.format.name in FULL_RANGE or layout.rgb
    matrix, guessed = (RGB if layout.rgb else UNSPECIFIED), False
    if not layout.rgb and layout.channels == 3:
        matrix, guessed = matrix_of(int(frame.colorspace), height=frame.height)
    colour = Colour(matrix, full, int(frame.color_primaries), int(frame.color_trc), guessed)
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return Film(
        path=path,
        stream=stream.index,
        height=frame.height,
        width=frame.width,
        layout=layout,
        colour=colour,
        time_base=stream.time_base,
        rate=rate,
        frames=_expected(container, stream, rate),
        pixel_aspect=stream.sample_aspect_ratio or None,
        rotation=_rotation(frame),
        notes=tuple(_notes(container, stream, frame, colour)),
    )


def _expected(container: Any, stream: Any, rate: Fraction) -> int | None:
    if stream.frames:
        return int(stream.frames)
    if stream.duration:
        return round(Fraction(stream.duration * stream.time_base * rate))
    if container.duration:
        return round(Fraction(container.duration, 1_000_000) * rate)
    return None


def _rotation(frame: Any) -> tuple[int, ...] | None:
    data = frame.side_data.get("DISPLAYMATRIX")
    return None if data is None else tuple(int(each) for each in np.frombuffer(bytes(data), np.int32))


def _notes(container: Any, stream: Any, frame: Any, colour: Colour) -> Iterator[str]:
    if colour.guessed:
        yield f"does not state its matrix: read as {colour}, as is usual for {frame.height} lines"
    if frame.interlaced_frame:
        yield (
            "is interlaced: the net sees both fields woven into one frame; deinterlace it first"
            " (ffmpeg -vf bwdif)"
        )
    lost = sorted({words for kind, words in LEFT_OUT.items() if frame.side_data.get(kind) is not None})
    if lost:
        yield f"left out, since it cannot be written: {', '.join(lost)}"
    others = [each for each in container.streams.video if each.index != stream.index and not is_cover(each)]
    if others:
        yield f"has {len(others)} more video stream(s), which are left out: only stream {stream.index} is enlarged"
