"""Sound, subtitles and whatever else lies beside the frames of a film, copied as it is."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from sr.video.film import Film, opened
from sr.video.library import import_av
from sr.video.suffixes import CONTAINERS


def not_held(film: Film, suffix: str) -> list[str]:
    """The streams beside the frames that a container cannot hold, in words; it is tried with a header of each."""
    with opened(film.path) as source:
        return [_words(stream) for stream in _beside(source, film) if not _holds(suffix, stream)]


def streams_to_copy(source: Any, film: Film, suffix: str) -> list[Any]:
    """The streams beside the frames that the container holds."""
    return [stream for stream in _beside(source, film) if _holds(suffix, stream)]


def add_copy(target: Any, stream: Any) -> Any:
    """A stream like this one in a container that is being written."""
    copy = target.add_stream_from_template(stream, opaque=True)
    if stream.type != "attachment":
        copy.time_base = stream.time_base
    copy.metadata.update(stream.metadata)
    copy.disposition = stream.disposition
    return copy


def packets_of(source: Any, streams: dict[int, Any]) -> Iterator[Any]:
    """The packets of the streams of these indices, in the order of the file, each made one of its copy."""
    wanted = [each for each in source.streams if each.index in streams and each.type != "attachment"]
    if not wanted:
        return
    for packet in source.demux(*wanted):
        if packet.size and packet.dts is not None:
            packet.stream = streams[packet.stream.index]
            yield packet


def _beside(source: Any, film: Film) -> list[Any]:
    return [stream for stream in source.streams if stream.index != film.stream]


def _holds(suffix: str, stream: Any) -> bool:
    av = import_av()
    try:
        with av.open(BytesIO(), "w", format=CONTAINERS[suffix]) as trial:
            add_copy(trial, stream)
            trial.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    return True


def _words(stream: Any) -> str:
    codec = "" if stream.codec_context is None else f" ({stream.codec_context.name})"
    return f"stream {stream.index}, {stream.type}{codec}"


def keeps_time_base(path: Path) -> bool:
    """Whether a container keeps every time stamp as it is; Matroska and WebM round them to milliseconds."""
    return CONTAINERS[path.suffix.lower()] not in ("matroska", "webm")
