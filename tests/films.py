"""Small films, made and read with PyAV alone, so that what is written is judged by another reader."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

MATRIX_QUARTER_TURN = (0, 65536, 0, -65536, 0, 0, 0, 0, 2**30)


def moving(number: int, *, height: int = 48, width: int = 64, channels: int = 3) -> np.ndarray:
    """Frame `number` of a smooth coloured pattern that moves: (H, W, channels) float64 in [0, 1]."""
    rows, columns = np.mgrid[:height, :width]
    phases = [0.2 * columns + 0.9 * number, 0.15 * rows - 0.5 * number, 0.1 * (rows + columns)]
    return np.stack([0.5 + 0.4 * np.sin(each) for each in phases[:channels]], axis=2)


@dataclass
class Written:
    """What `make_film` writes."""

    codec: str = "libx264"
    pixels: str = "yuv420p"
    colorspace: int = 1
    color_range: int = 1
    primaries: int = 1
    transfer: int = 1
    options: tuple[tuple[str, str], ...] = (("crf", "1"), ("preset", "ultrafast"))
    time_base: Fraction = Fraction(1, 12800)
    stamps: Sequence[int] = tuple(range(0, 512 * 12, 512))
    last: int = 512
    rotation: tuple[int, ...] | None = None
    pixel_aspect: Fraction | None = None
    audio: bool = False
    subtitles: bool = False
    chapters: bool = False
    size: tuple[int, int] = (48, 64)


def make_film(path: Path, written: Written | None = None, frames: Sequence[Any] | None = None) -> Path:
    """A film of `frames` of PyAV, or of a moving pattern."""
    w = written or Written()
    with av.open(str(path), "w", container_options={"avoid_negative_ts": "disabled"}) as container:
        video = container.add_stream(w.codec, rate=25, options=dict(w.options))
        video.height, video.width = w.size
        video.pix_fmt = w.pixels
        context = video.codec_context
        context.time_base = video.time_base = w.time_base
        context.colorspace, context.color_range = w.colorspace, w.color_range
        context.color_primaries, context.color_trc = w.primaries, w.transfer
        if w.pixel_aspect:
            context.sample_aspect_ratio = w.pixel_aspect
        if w.rotation:
            video.set_display_matrix(w.rotation)
        audio = container.add_stream("aac", rate=16000, layout="mono") if w.audio else None
        container.metadata["title"] = "a film"
        subtitles = None
        if w.subtitles:
            subtitles = container.add_mux_stream("subrip" if path.suffix == ".mkv" else "mov_text")
            subtitles.time_base = Fraction(1, 1000)
            subtitles.metadata["language"] = "eng"
        if w.chapters:
            marks = [(0, 200, "one"), (200, 480, "two")]
            container.set_chapters(
                [
                    {"id": n, "start": a, "end": b, "time_base": Fraction(1, 1000), "metadata": {"title": t}}
                    for n, (a, b, t) in enumerate(marks)
                ]
            )
        if audio is not None:
            container.mux(_sound(audio, w))
        for number, pts in enumerate(w.stamps):
            frame = (
                frames[number]
                if frames
                else picture_frame(moving(number, height=w.size[0], width=w.size[1]), w)
            )
            frame.pts, frame.time_base = pts, w.time_base
            following = w.stamps[number + 1] if number + 1 < len(w.stamps) else pts + w.last
            frame.duration = following - pts
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if subtitles is not None:
            container.mux(_subtitle(subtitles, b"Hello" if path.suffix == ".mkv" else b"\x00\x05Hello"))
    return path


def _sound(stream: Any, w: Written) -> list[Any]:
    seconds = float((w.stamps[-1] + w.last) * w.time_base)
    packets: list[Any] = []
    for start in range(0, int(seconds * 16000), 1024):
        wave = np.sin(np.arange(start, start + 1024) * 2 * np.pi * 440 / 16000)[None].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, start, Fraction(1, 16000)
        packets += stream.encode(frame)
    return packets + stream.encode()


def _subtitle(stream: Any, text: bytes) -> Any:
    packet = av.Packet(text)
    packet.pts = packet.dts = 100
    packet.duration, packet.time_base, packet.stream = 200, Fraction(1, 1000), stream
    return packet


def picture_frame(image: np.ndarray, w: Written) -> Any:
    """(H, W, 3) floats in [0, 1] -> a frame, by the library's converter, in the colours that `w` names."""
    values = np.rint(np.clip(image, 0, 1) * 65535).astype(np.uint16)
    frame = av.VideoFrame.from_ndarray(values, format="rgb48le")
    return frame.reformat(
        format=w.pixels, dst_colorspace=w.colorspace, src_color_range=2, dst_color_range=w.color_range
    )


@dataclass
class Found:
    """What PyAV reads of a film."""

    frames: list[np.ndarray]
    stamps: list[Fraction]
    end: Fraction
    pixels: str
    colours: tuple[int, int, int, int]
    codec: str
    rotation: int
    pixel_aspect: Fraction | None
    packets: dict[int, list[tuple[Fraction, bytes]]]
    types: list[str]
    chapters: list[tuple[Fraction, str]]
    title: str | None


def with_extras(
    film: Path, out: Path, *, attachment: bytes = b"", cover: bytes = b"", again: bool = False
) -> Path:
    """The film with an attachment, with a PNG as its cover, or with its video stream a second time."""
    with av.open(str(film)) as source, av.open(str(out), "w") as container:
        copies = [container.add_stream_from_template(source.streams.video[0], opaque=True)]
        if again:
            copies.append(container.add_stream_from_template(source.streams.video[0], opaque=True))
        if attachment:
            container.add_attachment("font.ttf", "font/ttf", attachment)
        if cover:
            stream = container.add_mux_stream("png", width=32, height=32)
            stream.disposition = av.stream.Disposition.attached_pic
        packets = [packet for packet in source.demux(video=0) if packet.size]
        if cover:
            container.mux(_packet(packets[0], stream, cover))
        for packet in packets:
            for copy in copies:
                container.mux(_packet(packet, copy, bytes(packet)))
    return out


def _packet(like: Any, stream: Any, content: bytes) -> Any:
    packet = av.Packet(content)
    packet.pts, packet.dts, packet.duration = like.pts, like.dts, like.duration
    packet.time_base, packet.is_keyframe, packet.stream = like.time_base, like.is_keyframe, stream
    return packet


def stored(frame: Any) -> np.ndarray:
    """The numbers of a frame: (3, H, W) where chroma has the size of luma, else luma above chroma as PyAV has it."""
    if not frame.format.name.startswith("yuv444p"):
        return np.asarray(frame.to_ndarray())
    dtype = np.dtype("<u2" if frame.format.components[0].bits > 8 else np.uint8)
    rows = [np.frombuffer(plane, dtype).reshape(frame.height, -1)[:, : frame.width] for plane in frame.planes]
    return np.stack(rows)


def read_back(path: Path) -> Found:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        frames = list(container.decode(video))
        context = video.codec_context
        packets: dict[int, list[tuple[Fraction, bytes]]] = {}
        with av.open(str(path)) as again:
            for packet in again.demux():
                if packet.size:
                    stamp = Fraction(packet.pts * packet.time_base)
                    packets.setdefault(packet.stream.index, []).append((stamp, bytes(packet)))
        return Found(
            frames=[stored(frame) for frame in frames],
            stamps=[Fraction(frame.pts * video.time_base) for frame in frames],
            end=Fraction(container.duration, 1_000_000),
            pixels=frames[0].format.name,
            colours=(
                int(context.colorspace),
                int(context.color_range),
                int(context.color_primaries),
                int(context.color_trc),
            ),
            codec=context.name,
            rotation=frames[0].rotation,
            pixel_aspect=video.sample_aspect_ratio,
            packets=packets,
            types=[stream.type for stream in container.streams],
            chapters=[
                (Fraction(mark["start"] * mark["time_base"]), mark["metadata"].get("title", ""))
                for mark in container.chapters()
            ],
            title=container.metadata.get("title"),
        )
