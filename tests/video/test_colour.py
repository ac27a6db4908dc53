"""The matrices and ranges, against numbers of the standards and against the library's converter."""

import av
import numpy as np
import pytest

from sr.video.colour import BT601, BT709, BT2020, Colour, gray_from_16, gray_to_16, matrix_of, to_rgb, to_yuv


@pytest.mark.parametrize(
    ("matrix", "red", "blue"), [(BT601, 81.481, 41.0), (BT709, 62.559, 31.812), (BT2020, 73.531, 28.987)]
)
def test_luma_of_pure_colours_in_limited_range(matrix: int, red: float, blue: float) -> None:
    # 16 + 219 Kr and 16 + 219 Kb, and the chroma of pure blue and red is 240 by construction.
    rgb = np.array([[[65535, 0, 0], [0, 0, 65535], [65535, 65535, 65535], [0, 0, 0]]], np.uint16)
    yuv = to_yuv(rgb, colour=Colour(matrix, full=False), bits=8)[0]
    assert yuv[0, 0] == pytest.approx(red, abs=2e-3)
    assert yuv[1, 0] == pytest.approx(blue, abs=0.05)
    assert yuv[0, 2] == pytest.approx(240, abs=1e-3)
    assert yuv[1, 1] == pytest.approx(240, abs=1e-3)
    assert yuv[2] == pytest.approx([235, 128, 128], abs=1e-3)
    assert yuv[3] == pytest.approx([16, 128, 128], abs=1e-3)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [BT601, BT709, BT2020])
def test_there_and_back_gives_the_levels_of_before(matrix: int, full: bool, bits: int) -> None:
    colour = Colour(matrix, full)
    rgb = np.random.default_rng(bits).integers(0, 65536, (16, 16, 3)).astype(np.uint16)
    levels = np.rint(to_yuv(rgb, colour=colour, bits=bits))
    back = to_yuv(to_rgb(levels.astype(np.float32), colour=colour, bits=bits), colour=colour, bits=bits)
    inside = (to_rgb(levels.astype(np.float32), colour=colour, bits=bits) % 65535 != 0).all(axis=2)
    # 16 bits of colour hold 15 bits of luma and chroma exactly; float32 has an error of two levels in 65536.
    assert np.abs(back - levels)[inside].max() < (0.5 if bits < 16 else 2.5)
    assert inside.mean() > 0.9


@pytest.mark.parametrize(("matrix", "full"), [(BT601, False), (BT709, False), (BT709, True), (BT2020, False)])
def test_the_library_s_converter_agrees(matrix: int, full: bool) -> None:
    values = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(values, format="rgb24").reformat(
        format="yuv444p", dst_colorspace=matrix, src_color_range=2, dst_color_range=2 if full else 1
    )
    theirs = frame.to_ndarray(channel_last=True)
    ours = to_yuv(values.astype(np.uint16) * 257, colour=Colour(matrix, full), bits=8)
    assert theirs.shape == (32, 32, 3)
    assert np.abs(ours - theirs).max() < 1.2  # it computes in integers


def test_limited_range_of_ten_bits_starts_at_64() -> None:
    colour = Colour(BT709, full=False)
    assert to_rgb(np.array([[[64, 512, 512]]], np.float32), colour=colour, bits=10).tolist() == [[[0, 0, 0]]]
    white = to_rgb(np.array([[[940, 512, 512]]], np.float32), colour=colour, bits=10)
    assert white.tolist() == [[[65535] * 3]]
    beyond = to_rgb(np.array([[[1019, 512, 512]]], np.float32), colour=colour, bits=10)
    assert beyond.tolist() == [[[65535] * 3]]  # cut off, not wrapped around


def test_gray() -> None:
    levels = np.arange(16, 236)[None, :, None]
    colour = Colour(2, full=False)
    back = gray_from_16(gray_to_16(levels, colour=colour, bits=8), colour=colour, bits=8)
    assert np.abs(back - levels).max() < 0.01


def test_a_film_that_says_nothing_is_read_by_its_height() -> None:
    assert matrix_of(2, height=576) == (BT601, True)
    assert matrix_of(2, height=720) == (BT709, True)
    assert matrix_of(9, height=576) == (BT2020, False)
    with pytest.raises(ValueError, match=r"matrix of colours is number 10 .*9 \(BT\.2020\)"):
        matrix_of(10, height=2160)  # BT.2020 with constant luminance is not linear
