"""Sound, subtitles and whatever else lies beside the frames of a film, copied as it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from sr.video.film import Film, is_cover, opened
from sr.video.library import import_av
from sr.video.subtitles import conversion, is_gap
from sr.video.suffixes import CONTAINERS


@dataclass(frozen=True)
class Copy:
    """A stream that is copied.

    Attributes:
        stream: the stream in the file that is written.
        convert: a function that gives what becomes of a packet, for subtitles that the container holds in another
            form; None copies packets as they are.
    """

    stream: Any
    convert: Callable[[bytes], bytes] | None = None


def not_held(film: Film, suffix: str) -> list[str]:
    """The streams beside the frames that a container cannot hold, in words; it is tried with a header of each."""
    with opened(film.path) as source:
        return [_words(stream) for stream in _beside(source, film) if not _holds(suffix, stream)]


def converted(film: Film, suffix: str) -> list[str]:
    """The streams that a container holds in another form, in words."""
    with opened(film.path) as source:
        return [
            f"{_words(stream)} becomes {change[0]}"
            for stream in _beside(source, film)
            if (change := _conversion(stream, suffix)) is not None
        ]


def add_copies(container: Any, source: Any, film: Film, suffix: str) -> dict[int, Copy]:
    """Add all streams that the container holds. Returns those that have packets, by their index in the source."""
    held = [stream for stream in _beside(source, film) if _holds(suffix, stream)]
    for stream in held:
        if _as_attachment(stream, suffix):
            with opened(film.path) as again:
                _attach(container, stream, again)
    return {
        stream.index: _add(container, stream, suffix) for stream in held if not _as_attachment(stream, suffix)
    }


def packets_of(source: Any, copies: dict[int, Copy]) -> Iterator[Any]:
    """The packets of the copied streams, in the order of the file, each made one of its copy."""
    av = import_av()
    wanted = [each for each in source.streams if each.index in copies and each.type != "attachment"]
    if not wanted:
        return
    for packet in source.demux(*wanted):
        if not packet.size:
            continue
        if packet.dts is None:  # a cover has no time, and some files state only when a packet is shown
            packet.dts = packet.pts = packet.pts or 0
        copy = copies[packet.stream.index]
        if is_gap(packet):
            continue  # the writer makes them again
        if copy.convert is not None:
            times = (packet.pts, packet.dts, packet.duration, packet.time_base)
            packet = av.Packet(copy.convert(bytes(packet)))
            packet.pts, packet.dts, packet.duration, packet.time_base = times
            packet.is_keyframe = True
        packet.stream = copy.stream
        yield packet


def keeps_time_base(path: Path) -> bool:
    """Whether a container keeps every time stamp as it is; Matroska and WebM round them to milliseconds."""
    return CONTAINERS[path.suffix.lower()] not in ("matroska", "webm")


def _beside(source: Any, film: Film) -> list[Any]:
    """All streams but moving pictures and the names of chapters, which MP4 has as a track."""
    marks = bool(source.chapters())
    return [
        stream
        for stream in source.streams
        if (stream.type != "video" or is_cover(stream)) and not (marks and stream.name == "bin_data")
    ]


def _as_attachment(stream: Any, suffix: str) -> bool:
    """Whether the container has a cover as an attachment and not as a stream of one packet."""
    return is_cover(stream) and CONTAINERS[suffix] == "matroska"


def _attach(container: Any, stream: Any, source: Any) -> None:
    content = next(bytes(each) for each in source.demux(source.streams[stream.index]) if each.size)
    suffix = {"mjpeg": "jpg"}.get(stream.codec_context.name, stream.codec_context.name)
    name = stream.metadata.get("filename", f"cover.{suffix}")
    mime = stream.metadata.get("mimetype", f"image/{'jpeg' if suffix == 'jpg' else suffix}")
    container.add_attachment(name, mime, content)


def _add(container: Any, stream: Any, suffix: str) -> Copy:
    change = _conversion(stream, suffix)
    if change is None:
        added, convert = container.add_stream_from_template(stream, opaque=True), None
    else:
        added, convert = container.add_mux_stream(change[0]), change[1]
    if stream.type != "attachment":
        added.time_base = stream.time_base
    added.metadata.update(stream.metadata)
    added.disposition = stream.disposition
    return Copy(added, convert)


def _conversion(stream: Any, suffix: str) -> tuple[str, Callable[[bytes], bytes]] | None:
    if stream.type != "subtitle" or stream.codec_context is None:
        return None
    return conversion(stream.codec_context.name, CONTAINERS[suffix])


def _holds(suffix: str, stream: Any) -> bool:
    if _as_attachment(stream, suffix):
        return True
    av = import_av()
    try:
        with av.open(BytesIO(), "w", format=CONTAINERS[suffix]) as trial:
            _add(trial, stream, suffix)
            trial.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    return True


def _words(stream: Any) -> str:
    codec = "" if stream.codec_context is None else f" ({stream.codec_context.name})"
    return f"stream {stream.index}, {stream.type}{codec}"
