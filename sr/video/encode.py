"""Frames -> one part of a film, encoded on its own, so that parts follow each other in any film."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from sr.ops.beside import behind
from sr.ops.whole_file import replacing
from sr.video.codecs import KEY_FRAMES, Encoding
from sr.video.colour import Colour
from sr.video.layout import frame_of
from sr.video.library import import_av


@contextmanager
def encoding_segment(
    path: Path,
    *,
    encoding: Encoding,
    colour: Colour,
    size: tuple[int, int],
    rate: Fraction,
    pixel_aspect: Fraction | None = None,
) -> Iterator[Callable[[np.ndarray], None]]:
    """Gives a function that encodes the next frame, (H, W, channels) uint16, beside the work on the one after it.

    The encoder has no knowledge of other parts: the first frame is a key frame, and none refers beyond it. It counts
    frames in place of time, as at a constant rate; their times are given when the parts are joined.

    Args:
        path: the file, in the container NUT, which takes every codec.
        encoding: the encoder.
        colour: the meaning of the numbers, which is written into the stream too.
        size: the (height, width) of a frame.
        rate: the frames of a second, by which encoders weigh quality.
        pixel_aspect: the width of a pixel by its height, which H.264 and HEVC write into the stream; None for none.
    """
    av = import_av()
    with replacing(path) as file, av.open(file, "w", format="nut") as container:
        stream = container.add_stream(encoding.codec.encoder, rate=rate, options=encoding.options())
        context = stream.codec_context
        context.height, context.width = size
        context.pix_fmt = encoding.layout.name
        context.time_base = 1 / rate
        context.gop_size = KEY_FRAMES
        if pixel_aspect is not None:
            context.sample_aspect_ratio = pixel_aspect
        mark_colour(context, colour)
        count = 0

        def encode(image: np.ndarray) -> None:
            nonlocal count
            frame = frame_of(image, encoding.layout, colour)
            frame.pts, frame.time_base = count, 1 / rate
            count += 1
            container.mux(stream.encode(frame))

        with behind(encode) as encode_later:
            yield encode_later
        container.mux(stream.encode())


def mark_colour(context: Any, colour: Colour) -> None:
    """Write into a stream how its numbers are colours."""
    context.colorspace = colour.matrix
    context.color_range = 2 if colour.full else 1
    context.color_primaries = colour.primaries
    context.color_trc = colour.transfer
