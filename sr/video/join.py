"""Parts -> the film: their packets as they are, with the times of the frames, beside what is copied."""

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

from sr.ops.whole_file import replacing
from sr.video.codecs import Encoding
from sr.video.colour import Colour
from sr.video.copied import Copy, add_copies, packets_of
from sr.video.encode import mark_colour
from sr.video.film import Film, opened
from sr.video.library import import_av
from sr.video.segments import Segment
from sr.video.suffixes import CONTAINERS


def join(
    target: Path, segments: Sequence[Segment], *, film: Film, colour: Colour, encoding: Encoding, copy: bool
) -> None:
    """Write the film under a temporary name and rename it when it is complete and on the disk.

    Args:
        target: the file to write.
        segments: the parts, in order.
        film: the film that it was, for its clock, rotation, chapters, tags and the streams that are copied.
        colour: the colour of the parts.
        encoding: the encoder that made them.
        copy: whether `film` is a file with streams to copy.
    """
    av = import_av()
    with ExitStack() as stack:
        source = stack.enter_context(opened(film.path)) if copy else None
        file = stack.enter_context(replacing(target))
        # The times are right as they are; a container would move them all for a negative decoding time.
        # And the same frames make the same file, without the random numbers that Matroska marks files with.
        options = {"avoid_negative_ts": "disabled", "fflags": "+bitexact"}
        name = CONTAINERS[target.suffix.lower()]
        container = stack.enter_context(av.open(file, "w", format=name, container_options=options))
        first = stack.enter_context(opened(segments[0].file))
        stream = _add_video(container, first.streams.video[0], film, colour, encoding)
        copies: dict[int, Copy] = {}
        if source is not None:
            container.metadata.update(_tags(source.metadata))
            stream.metadata.update(_tags(source.streams[film.stream].metadata))
            stream.disposition = source.streams[film.stream].disposition
            container.set_chapters(source.chapters())
            copies = add_copies(container, source, film, target.suffix.lower())
        others = packets_of(source, copies) if copies else iter(())
        for packet in heapq.merge(_packets(segments, stream, film.time_base), others, key=_seconds):
            container.mux(packet)


def decoding_times(shown: Sequence[int]) -> list[int]:
    """Time stamps in the order of decoding -> a decoding time for each: rising, and never after its time stamp.

    Frame i of this order is decoded when frame i - d is shown, where d is the least number of frames by which all come
    early enough. The first d are decoded before the first is shown, at the distance of the first two frames.
    """
    order = sorted(shown)
    places = {pts: place for place, pts in enumerate(order)}
    delay = max((place - places[pts] for place, pts in enumerate(shown)), default=0)
    step = order[1] - order[0] if len(order) > 1 else 1
    return [
        order[place - delay] if place >= delay else order[0] - (delay - place) * step
        for place in range(len(shown))
    ]


def _add_video(container: Any, template: Any, film: Film, colour: Colour, encoding: Encoding) -> Any:
    stream = container.add_stream_from_template(template, opaque=True)
    stream.time_base = film.time_base
    context = stream.codec_context
    context.framerate = film.rate
    mark_colour(context, colour)
    if film.rotation is not None:
        stream.set_display_matrix(film.rotation)
    if encoding.codec.name == "hevc" and container.format.name in ("mp4", "mov"):
        context.codec_tag = "hvc1"  # what Apple's players ask for
    return stream


def _tags(metadata: dict[str, str]) -> dict[str, str]:
    """The tags of a container or a stream but those that the writer makes itself."""
    own = {
        "encoder",
        "major_brand",
        "minor_version",
        "compatible_brands",
        "duration",
        "handler_name",
        "vendor_id",
    }
    return {key: value for key, value in metadata.items() if key.lower() not in own}


def _packets(segments: Sequence[Segment], stream: Any, time_base: Fraction) -> Iterator[Any]:
    shown: list[int] = []
    for segment in segments:
        shown += [segment.times[rank][0] for rank in _ranks(segment)]
    times = iter(decoding_times(shown))
    for segment in segments:
        ranks = iter(_ranks(segment))
        with opened(segment.file) as part:
            for packet in part.demux(part.streams.video[0]):
                if packet.size:
                    packet.time_base = time_base
                    packet.pts, packet.duration = segment.times[next(ranks)]
                    packet.dts = next(times)
                    packet.stream = stream
                    yield packet


def _ranks(segment: Segment) -> list[int]:
    """For each packet of a part, the number of its frame in the order in which they are shown."""
    with opened(segment.file) as part:
        stamps = [packet.pts for packet in part.demux(part.streams.video[0]) if packet.size]
    if len(stamps) != len(segment.times):
        raise ValueError(
            f"{segment.file}: has {len(stamps)} frames, not {len(segment.times)}: delete its folder"
        )
    places = {stamp: place for place, stamp in enumerate(sorted(stamps))}
    return [places[stamp] for stamp in stamps]


def _seconds(packet: Any) -> Fraction:
    return Fraction(packet.dts * packet.time_base)
