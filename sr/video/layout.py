"""The pixel formats of films, and frames of them as arrays: planes as they are stored, without a converter."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sr.video import colour as colours
from sr.video.chroma import Sampling, downsample, upsample
from sr.video.colour import Colour
from sr.video.library import import_av

# Formats that store the same numbers with both chroma components in one plane, and 10 bits in the upper bits. They are
# taken apart here: FFmpeg's converter gives other numbers in 8 pixels of one p010le frame in a hundred.
SEMI_PLANAR = {
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "nv16": "yuv422p",
    "nv24": "yuv444p",
    "p010le": "yuv420p10le",
    "p210le": "yuv422p10le",
}
# Formats that store the same numbers in another order; the library copies them into the planes of the other format.
REORDERED = {
    "yuyv422": "yuv422p",
    "uyvy422": "yuv422p",
    "yvyu422": "yuv422p",
    "rgb24": "gbrp",
    "bgr24": "gbrp",
    "rgb0": "gbrp",
    "bgr0": "gbrp",
    "0rgb": "gbrp",
    "0bgr": "gbrp",
    "rgb48le": "gbrp16le",
    "bgr48le": "gbrp16le",
}
# The same as its namesake without the letter, at full range.
FULL_RANGE = {"yuvj420p": "yuv420p", "yuvj422p": "yuv422p", "yuvj440p": "yuv440p", "yuvj444p": "yuv444p"}


@dataclass(frozen=True)
class Layout:
    """A pixel format whose components are planes.

    Attributes:
        name: FFmpeg's name of the format.
        channels: 1 for gray, 3 otherwise.
        rgb: whether the planes are colours and not luma and chroma.
        bits: bits of a value, 8 to 16; more than 8 are stored in two bytes, in the low bits.
        across: luma samples for a chroma sample along the width.
        down: luma samples for a chroma sample along the height.
    """

    name: str
    channels: int
    rgb: bool
    bits: int
    across: int = 1
    down: int = 1

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.uint8 if self.bits == 8 else "<u2")


def layout_of(name: str) -> Layout:
    """The layout that frames of a pixel format are read in.

    Raises:
        ValueError: the format has transparency, a palette, bytes in another order, or is unknown.
    """
    av = import_av()
    plain = (FULL_RANGE | SEMI_PLANAR | REORDERED).get(name, name)
    try:
        found = av.VideoFormat(plain, 64, 64)
    except ValueError as error:
        raise ValueError(f"pixel format {name} is unknown") from error
    parts = found.components
    if any(part.is_alpha for part in parts):
        raise ValueError(
            f"pixel format {name} has transparency, which films are not written with: lay it on a background first"
        )
    bits = parts[0].bits
    planar = len({part.plane for part in parts}) == len(parts) in (1, 3) and not found.has_palette
    if not planar or not 8 <= bits <= 16 or found.is_big_endian or found.is_bit_stream or found.is_bayer:
        raise ValueError(
            f"pixel format {name} is not read: convert it to yuv420p, yuv444p10le or another planar one"
        )
    if "f16" in plain or "f32" in plain:
        raise ValueError(f"pixel format {name} holds floats: convert it to integers of at most 16 bits")
    across, down = (64 // parts[-1].width, 64 // parts[-1].height)
    if across not in (1, 2, 4) or down not in (1, 2):
        raise ValueError(f"pixel format {name} thins chroma out by {across} x {down}: convert it to yuv420p")
    return Layout(plain, len(parts), found.is_rgb, bits, across, down)


def image_of(frame: Any, layout: Layout, colour: Colour) -> np.ndarray:
    """A decoded frame -> (H, W, channels) uint16, gray or R'G'B', where 65535 is white.

    Raises:
        ValueError: the frame has another pixel format than the layout stands for.
    """
    name = frame.format.name
    if layout_of(name).name != layout.name:
        raise ValueError(f"its pixel format changes from {layout.name} to {name} within the film")
    planes = planes_of(frame, layout)
    if layout.channels == 1:
        return colours.gray_to_16(planes[0][..., None], colour=colour, bits=layout.bits)
    if layout.rgb:
        top = np.float32(2**layout.bits - 1)
        return colours.levels16(np.stack(planes, axis=2).astype(np.float32) / top)
    size = planes[0].shape
    sampling = _sampling(layout, colour)
    full = [planes[0].astype(np.float32), *(upsample(each, sampling, size=size) for each in planes[1:])]
    return colours.to_rgb(np.stack(full, axis=2), colour=colour, bits=layout.bits)


def frame_of(image: np.ndarray, layout: Layout, colour: Colour) -> Any:
    """The inverse of `image_of`, rounded to levels: a frame for an encoder."""
    frame = import_av().VideoFrame(image.shape[1], image.shape[0], layout.name)
    if layout.channels == 1:
        planes = [colours.gray_from_16(image, colour=colour, bits=layout.bits)[..., 0]]
    elif layout.rgb:
        scaled = image.astype(np.float32) * np.float32((2**layout.bits - 1) / colours.RGB16)
        planes = [scaled[..., channel] for channel in range(3)]
    else:
        yuv = colours.to_yuv(image, colour=colour, bits=layout.bits)
        sampling = _sampling(layout, colour)
        planes = [yuv[..., 0], *(downsample(yuv[..., channel], sampling) for channel in (1, 2))]
    for component, values in zip(frame.format.components, planes, strict=True):
        _plane(frame, component, layout)[:] = np.clip(np.rint(values), 0, 2**layout.bits - 1)
    return frame


def planes_of(frame: Any, layout: Layout) -> list[np.ndarray]:
    """The components of a frame, each (h, w) of the layout's type. No number changes."""
    name = frame.format.name
    if name in SEMI_PLANAR:
        return _taken_apart(frame, layout)
    if name in REORDERED:
        frame = frame.reformat(format=REORDERED[name])
    return [_plane(frame, component, layout) for component in frame.format.components]


def _taken_apart(frame: Any, layout: Layout) -> list[np.ndarray]:
    luma, both = (
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size).view(layout.dtype)
        for plane in frame.planes
    )
    height, width = -(-frame.height // layout.down), -(-frame.width // layout.across)
    pair = [both[:height, place : 2 * width : 2] for place in (0, 1)]
    if frame.format.name == "nv21":
        pair.reverse()
    unused = 16 - layout.bits if layout.bits > 8 else 0
    return [plane >> unused for plane in (luma[: frame.height, : frame.width], *pair)]


def _sampling(layout: Layout, colour: Colour) -> Sampling:
    """PyAV does not tell where a film has its chroma, so it is where films of its range usually have it."""
    return Sampling(layout.across, layout.down, left=not colour.full)


def _plane(frame: Any, component: Any, layout: Layout) -> np.ndarray:
    """(h, w) of the plane, which can be written to in a new frame."""
    plane = frame.planes[component.plane]
    stored = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return stored.view(layout.dtype)[: component.height, : component.width]
