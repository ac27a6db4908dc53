"""The encoders of films: which one by default, at which quality, and in which pixel formats."""

from dataclasses import dataclass

from sr.video.codec_names import CODECS as NAMES
from sr.video.layout import Layout, layout_of
from sr.video.library import import_av

KEY_FRAMES = 250  # frames from one key frame to the next, so that players can jump


@dataclass(frozen=True)
class Codec:
    """An encoder as it is used here.

    Attributes:
        name: ours, of `NAMES`.
        encoder: the name of the encoder in FFmpeg.
        crf: the constant quality without `--crf`, lower is better; None where nothing is lost.
        worst: the largest `crf`.
        suffixes: the containers that hold it.
        options: further options of the encoder.
    """

    name: str
    encoder: str
    crf: int | None
    worst: int
    suffixes: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()


USUAL = (".mkv", ".mp4", ".m4v", ".mov")
CODECS = {
    "h264": Codec("h264", "libx264", 16, 51, USUAL),
    "hevc": Codec("hevc", "libx265", 18, 51, USUAL, (("x265-params", "log-level=error:open-gop=0"),)),
    "av1": Codec("av1", "libsvtav1", 20, 63, (".mkv", ".mp4", ".webm"), (("preset", "6"),)),
    "ffv1": Codec("ffv1", "ffv1", None, 0, (".mkv",), (("level", "3"), ("slicecrc", "1"))),
}


@dataclass(frozen=True)
class Encoding:
    """A codec with its quality and the pixel format that it is given.

    Attributes:
        codec: the codec.
        crf: its constant quality; None where nothing is lost.
        layout: the pixel format.
    """

    codec: Codec
    crf: int | None
    layout: Layout

    def __str__(self) -> str:
        quality = "lossless" if self.crf is None else f"crf {self.crf}"
        return f"{self.codec.name} ({self.codec.encoder}), {quality}, {self.layout.name}"

    def options(self) -> dict[str, str]:
        """For the encoder."""
        quality = {} if self.crf is None else {"crf": str(self.crf)}
        return dict(self.codec.options) | quality


def choose_encoding(
    wanted: Layout, *, suffix: str, codec: str = "auto", crf: int | None = None, exactly: bool = False
) -> Encoding:
    """The encoder for a film of the layout `wanted` in a container.

    8 bits become H.264, which everything plays, and more become HEVC. What these cannot hold becomes FFV1, without
    loss. WebM holds AV1 alone. Where the encoder does not know the layout, it gets the next one that loses nothing.

    Args:
        wanted: the layout to keep.
        suffix: the suffix of the file to write.
        codec: `auto`, or one of `NAMES`.
        crf: the constant quality; None takes that of the codec.
        exactly: whether another layout than `wanted` is refused.

    Raises:
        ValueError: the container does not hold the codec, or the codec the layout, or `crf` is out of range.
    """
    names = _automatic(wanted, suffix) if codec == "auto" else (codec,)
    for name in names:
        chosen = CODECS[name]
        layout = wanted if exactly else _nearest(wanted, chosen)
        if suffix in chosen.suffixes and layout is not None and layout.name in _formats(chosen):
            return Encoding(chosen, _quality(chosen, crf), layout)
    if len(names) == 1 and suffix not in CODECS[names[0]].suffixes:
        held = ", ".join(CODECS[names[0]].suffixes)
        raise ValueError(f"--codec {names[0]}: {suffix} does not hold it: give --out one of {held}")
    raise ValueError(
        f"pixel format {wanted.name} is not written by {' or '.join(names)} in {suffix}:"
        f" choose --pixel-format yuv420p or yuv420p10le, or another --codec ({', '.join(NAMES)})"
    )


def _automatic(wanted: Layout, suffix: str) -> tuple[str, ...]:
    if suffix == ".webm":
        return ("av1",)
    return ("h264", "hevc", "ffv1") if wanted.bits == 8 and not wanted.rgb else ("hevc", "ffv1")


def _quality(codec: Codec, crf: int | None) -> int | None:
    if crf is None:
        return codec.crf
    if codec.crf is None:
        raise ValueError(f"--crf={crf}: {codec.name} loses nothing and has no quality to choose")
    if not 0 <= crf <= codec.worst:
        raise ValueError(f"--crf={crf} must be from 0 (best) to {codec.worst} with {codec.name}")
    return crf


def _formats(codec: Codec) -> set[str]:
    return {each.name for each in import_av().Codec(codec.encoder, "w").video_formats}


def _nearest(wanted: Layout, codec: Codec) -> Layout | None:
    """The layout that the encoder knows and that holds all of `wanted`, with the fewest numbers."""
    able = []
    for name in _formats(codec):
        try:
            layout = layout_of(name)
        except ValueError:  # with alpha, or in another order
            continue
        if layout.name == name and _holds(layout, wanted):
            able.append(layout)
    return min(able, key=lambda each: (each.bits, 1 / (each.across * each.down), each.name), default=None)


def _holds(layout: Layout, wanted: Layout) -> bool:
    return (
        layout.rgb == wanted.rgb
        and layout.channels == wanted.channels
        and layout.bits >= wanted.bits
        and layout.across <= wanted.across
        and layout.down <= wanted.down
    )
