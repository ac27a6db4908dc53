"""Rows of any picture become a PNG in little memory."""

import io
import tracemalloc

import cv2
import numpy as np
import pytest

from sr.pictures.png import write_png_stream


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_memory_is_that_of_a_strip_and_the_file(dtype: type[np.generic]) -> None:
    """After memory ran out in the net, a picture once failed where its file was written."""
    colour = np.full((2000, 1500, 3), 77, dtype)
    file = io.BytesIO()
    tracemalloc.start()
    write_png_stream(file, colour=colour)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
    assert (cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_UNCHANGED) == colour).all()
