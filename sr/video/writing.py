"""Frames -> an enlarged film, part by part, or numbered pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sr.ops.beside import behind
from sr.pictures.picture import Picture
from sr.pictures.writing import write_picture
from sr.video.codecs import Encoding
from sr.video.colour import Colour
from sr.video.encode import encoding_segment
from sr.video.enlarging import Enlarging, Lookahead
from sr.video.film import Film, UnreadableFilmError
from sr.video.join import join
from sr.video.segments import Workspace, working_on
from sr.video.source import Source

# Called with the number of frames that an earlier run has finished, and then with that of each step.
Advance = Callable[[int], object]


def write_film(
    target: Path,
    source: Source,
    enlarging: Enlarging,
    *,
    size: tuple[int, int],
    encoding: Encoding,
    colour: Colour,
    length: int,
    plan: dict[str, Any],
    resume: bool,
    copy: bool,
    advance: Advance,
) -> list[int]:
    """Enlarge and encode part by part, then join the parts. Returns the time stamps of the frames.

    Args:
        target: the file; it appears when it is complete.
        source: the frames.
        enlarging: the way to their results.
        size: the (height, width) of a result.
        encoding: the encoder of the results.
        colour: the meaning of the numbers that are encoded.
        length: the number of frames of a part.
        plan: the things that make the parts, see `working_on`.
        resume: whether to go on with the parts of an earlier run.
        copy: whether the source is a file whose other streams are copied.
        advance: a function that hears of progress.

    Raises:
        UnreadableFilmError: no frame could be read, or not the frames that finished parts were made of.
    """
    film = source.film
    with working_on(target, plan, resume=resume) as work:
        frames = Lookahead(source)
        before = _skip(frames, work, film, advance)
        while frames.peek() is not None:
            times: list[tuple[int, int]] = []
            with encoding_segment(
                work.next_file(),
                encoding=encoding,
                colour=colour,
                size=size,
                rate=film.rate,
                pixel_aspect=film.pixel_aspect,
            ) as encode:
                for timed, result in enlarging.part(frames, before=before, length=length):
                    encode(result)
                    times.append((timed.pts, timed.duration))
                    advance(1)
            before = timed
            work.finish(times)
        if not work.finished:
            raise UnreadableFilmError(f"{film.path}: none of its frames can be decoded")
        join(target, work.finished, film=film, colour=colour, encoding=encoding, copy=copy)
        work.remove()
    return [pts for segment in work.finished for pts, _ in segment.times]


def _skip(frames: Lookahead, work: Workspace, film: Film, advance: Advance) -> Any:
    """Pass over the frames of the finished parts. Returns the last one of them."""
    timed = None
    for segment in work.finished:
        for pts, _ in segment.times:
            timed = next(frames, None)
            if timed is None or timed.pts != pts:
                raise UnreadableFilmError(
                    f"{film.path}: its frames are not those that the segments in {work.folder} were made of"
                )
        advance(len(segment.times))
    return timed


def write_frames(
    folder: Path,
    source: Source,
    enlarging: Enlarging,
    *,
    suffix: str,
    deep: bool,
    skip_existing: bool,
    advance: Advance,
) -> int:
    """Write every frame as a picture, `000001.png` and so on. Returns the number of frames.

    Args:
        folder: the place of the pictures.
        source: the frames.
        enlarging: the way to their results.
        suffix: the suffix of the pictures.
        deep: whether they have 16 bits.
        skip_existing: whether frames whose picture is there already are passed over.
        advance: a function that hears of progress.
    """
    frames = Lookahead(source)
    before, count = None, 0
    length = enlarging.together if skip_existing else None
    with behind(_write_picture) as write:
        while (following := frames.peek()) is not None:
            path = folder / f"{count + 1:06d}{suffix}"
            if skip_existing and path.exists():
                before, count = following, count + 1
                next(frames)
                advance(1)
                continue
            for timed, result in enlarging.part(frames, before=before, length=length):
                count += 1
                write(folder / f"{count:06d}{suffix}", result, deep)
                before = timed
                advance(1)
    return count


def _write_picture(path: Path, image: np.ndarray, deep: bool) -> None:
    write_picture(path, Picture(image if deep else _to_8(image)))


def _to_8(image: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(image / np.float32(257)).astype(np.uint8))
