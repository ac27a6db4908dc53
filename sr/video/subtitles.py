"""Text subtitles between the two forms that containers hold: SubRip in Matroska, 3GPP timed text in MP4."""

import re
import struct
from collections.abc import Callable
from typing import Any

MOV_TEXT, SUBRIP = "mov_text", "subrip"
NAMES = {"mov_text": MOV_TEXT, "srt": SUBRIP, "subrip": SUBRIP}  # the library's names of decoders


def to_subrip(packet: bytes) -> bytes:
    """The text of a sample of 3GPP timed text (3GPP TS 26.245, sec. 5.17.1.1), without its styles."""
    (length,) = struct.unpack(">H", packet[:2])
    return packet[2 : 2 + length]


def is_gap(packet: Any) -> bool:
    """Whether a packet says that no subtitle is shown, as 3GPP timed text does between two."""
    context = packet.stream.codec_context
    return context is not None and NAMES.get(context.name) == MOV_TEXT and bytes(packet) == b"\0\0"


def to_mov_text(packet: bytes) -> bytes:
    """The text of a SubRip subtitle, without its tags, as a sample of 3GPP timed text."""
    text = re.sub(rb"</?[a-zA-Z][^<>]*>|\{\\[^{}]*\}", b"", packet)
    return struct.pack(">H", len(text)) + text


def conversion(name: str, muxer: str) -> tuple[str, Callable[[bytes], bytes]] | None:
    """What becomes of subtitles in a container: the codec and the conversion of a packet; None if nothing does.

    Args:
        name: the library's name of their decoder.
        muxer: FFmpeg's name of the container.
    """
    if NAMES.get(name) == MOV_TEXT and muxer == "matroska":
        return SUBRIP, to_subrip
    if NAMES.get(name) == SUBRIP and muxer in ("mp4", "mov"):
        return MOV_TEXT, to_mov_text
    return None
