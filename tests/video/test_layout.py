"""Frames as arrays."""

from typing import Any

import av
import numpy as np
import pytest

from sr.video.colour import BT709, RGB, UNSPECIFIED, Colour
from sr.video.layout import FULL_RANGE, REORDERED, SEMI_PLANAR, frame_of, image_of, layout_of, planes_of

PLANAR = (
    "yuv444p",
    "yuv422p",
    "yuv420p10le",
    "yuv422p12le",
    "yuv444p16le",
    "gbrp",
    "gbrp12le",
    "gray",
    "gray10le",
)


def filled(name: str, *, height: int = 20, width: int = 38) -> Any:
    """A frame whose planes hold noise, in the bits that the format has."""
    frame = av.VideoFrame(width, height, name)
    rng = np.random.default_rng(len(name))
    shift = 6 if name.startswith(("p010", "p210")) else 0  # these have their bits at the top
    for plane in frame.planes:
        stored = np.frombuffer(plane, np.uint8)
        bits = frame.format.components[0].bits
        if bits > 8:
            words = stored.view("<u2")
            words[:] = rng.integers(0, 1 << bits, words.shape) << shift
        else:
            stored[:] = rng.integers(0, 256, stored.shape)
    return frame


def values(frame: Any) -> list[list[int]]:
    """The stored numbers of a frame, component by component, by FFmpeg's description of the packing."""
    name, width, height = frame.format.name, frame.width, frame.height
    planes = []
    for plane in frame.planes:
        stored = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        planes.append(stored.view("<u2") if frame.format.components[0].bits > 8 else stored)
    if name in ("nv12", "nv21", "nv16", "nv24", "p010le", "p210le"):
        shift = 6 if name.startswith("p") else 0
        thin, low = (1, 1) if name == "nv24" else (2, 2) if name in ("nv12", "nv21", "p010le") else (2, 1)
        chroma = planes[1][: -(-height // low), : 2 * -(-width // thin)]
        pair = [chroma[:, 0::2], chroma[:, 1::2]]
        parts = [planes[0][:height, :width], *(reversed(pair) if name == "nv21" else pair)]
        return [(part >> shift).ravel().tolist() for part in parts]
    if name in ("yuyv422", "uyvy422", "yvyu422"):
        luma, first, second = {"yuyv422": (0, 1, 3), "uyvy422": (1, 0, 2), "yvyu422": (0, 3, 1)}[name]
        row = planes[0][:height, : 2 * width]
        return [
            row[:, luma::2].ravel().tolist(),
            row[:, first::4].ravel().tolist(),
            row[:, second::4].ravel().tolist(),
        ]
    order = {"rgb": (0, 1, 2), "bgr": (2, 1, 0), "0rg": (1, 2, 3), "0bg": (3, 2, 1)}[name[:3]]
    step = 4 if "0" in name else 3
    row = planes[0][:height, : step * width]
    return [row[:, place::step].ravel().tolist() for place in order]


@pytest.mark.parametrize("color_range", [0, 1, 2])
@pytest.mark.parametrize("name", [*SEMI_PLANAR, *REORDERED])
def test_no_number_changes_when_a_frame_is_taken_apart(name: str, color_range: int) -> None:
    frame = filled(name)
    frame.color_range = color_range
    found = planes_of(frame, layout_of(name))
    assert [part.ravel().tolist() for part in found] == values(frame)


@pytest.mark.parametrize("name", PLANAR)
def test_a_frame_becomes_an_image_and_the_same_frame_again(name: str) -> None:
    layout = layout_of(name)
    matrix = RGB if layout.rgb else UNSPECIFIED if layout.channels == 1 else BT709
    colour = Colour(matrix, full=layout.rgb)
    smooth = np.linspace(12000, 48000, 40 * 36 * layout.channels).reshape(36, 40, layout.channels)
    frame = frame_of(smooth.astype(np.uint16), layout, colour)
    image = image_of(frame, layout, colour)
    assert image.dtype == np.uint16 and image.shape == (36, 40, layout.channels)
    assert np.abs(image.astype(int) - smooth).max() < 65535 * 3 / 2**layout.bits + 100
    again = frame_of(image, layout, colour)
    exact = 0 if layout.bits < 16 and layout.down == 1 else 2
    for one, other in zip(frame.planes, again.planes, strict=True):
        dtype = np.dtype(layout.dtype)
        shape = (one.height, one.line_size // dtype.itemsize)
        a, b = (
            np.frombuffer(each, np.uint8).view(dtype).reshape(-1, shape[1])[: shape[0], : one.width]
            for each in (one, other)
        )
        assert np.abs(a.astype(int) - b.astype(int)).max() <= exact


def test_full_range_by_name_is_the_plain_layout() -> None:
    for name, plain in FULL_RANGE.items():
        assert layout_of(name) == layout_of(plain)
    assert (layout_of("yuv420p10le").across, layout_of("yuv420p10le").down) == (2, 2)
    assert layout_of("yuv411p").across == 4
    assert layout_of("gbrp10le").rgb


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("yuva420p", "has transparency"),
        ("rgba", "has transparency"),
        ("pal8", "is not read"),
        ("yuv420p10be", "is not read"),
        ("yuv410p", "thins chroma out by 4 x 4"),
        ("grayf32le", "is not read"),
        ("monow", "is not read"),
        ("plaid", "is unknown"),
    ],
)
def test_what_is_refused_by_name(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"pixel format {name} {words}"):
        layout_of(name)


def test_a_film_that_changes_its_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="changes from yuv420p to yuv444p within the film"):
        image_of(filled("yuv444p"), layout_of("yuv420p"), Colour(BT709, full=False))
