"""What is known of a film before its frames are read, and the times of its frames."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from films import MATRIX_QUARTER_TURN, Written, make_film, moving, picture_frame

from sr.video.colour import Colour
from sr.video.decode import Frames
from sr.video.film import UnreadableFilmError, read_film


def test_what_a_film_says(tmp_path: Path) -> None:
    written = Written(
        pixels="yuv420p10le",
        codec="libx265",
        options=(("x265-params", "log-level=error"),),
        colorspace=9,
        primaries=9,
        transfer=16,
        rotation=MATRIX_QUARTER_TURN,
        pixel_aspect=Fraction(8, 9),
    )
    film = read_film(make_film(tmp_path / "film.mp4", written))
    assert (film.height, film.width, film.layout.name, film.layout.bits) == (48, 64, "yuv420p10le", 10)
    assert film.colour == Colour(9, full=False, primaries=9, transfer=16)
    assert (film.time_base, film.rate, film.frames) == (Fraction(1, 12800), 25, 12)
    assert (film.rotation, film.pixel_aspect) == (MATRIX_QUARTER_TURN, Fraction(8, 9))
    assert film.notes == ()


def test_full_range_by_the_name_of_the_format(tmp_path: Path) -> None:
    written = Written(codec="mjpeg", pixels="yuvj420p", color_range=2, colorspace=5, options=())
    film = read_film(make_film(tmp_path / "film.mkv", written))
    assert film.layout.name == "yuv420p" and film.colour.full and film.colour.matrix == 5


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "not a film"), (b"no film" * 999, "not a film"), (None, "has no video stream")],
)
def test_what_is_no_film(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "film.mkv"
    if content is not None:
        path.write_bytes(content)
    else:
        with av.open(str(path), "w") as container:
            stream = container.add_stream("aac", rate=16000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 16000
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
    with pytest.raises(UnreadableFilmError, match=rf"film\.mkv: {words}"):
        read_film(path)


def test_no_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_film(tmp_path / "gone.mkv")


@pytest.mark.parametrize("frames", [2, 4])
def test_frames_come_as_they_are_shown(tmp_path: Path, frames: int) -> None:
    """Frames between others (B) are stored out of order, and their durations in MP4 are those of decoding."""
    stamps = (0, 512, 700, 1536, 2048, 2500, 3000, 4000, 5000)
    options = (("crf", "5"), ("bf", str(frames)), ("b_strategy", "0"))
    written = Written(stamps=stamps, last=777, options=options)
    path = make_film(tmp_path / "film.mp4", written)
    with av.open(str(path)) as container:
        stored = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert stored != sorted(stored)
    timed = list(Frames(read_film(path)))
    assert [each.pts for each in timed] == list(stamps)
    assert [each.duration for each in timed[:-1]] == list(np.diff(stamps))
    for number, each in enumerate(timed):
        luma = each.frame.to_ndarray()[:48].astype(int)
        expected = picture_frame(moving(number), written).to_ndarray()[:48]
        assert np.abs(luma - expected).mean() < 4


def test_time_stamps_that_do_not_rise_are_moved(tmp_path: Path) -> None:
    class Stamp:
        def __init__(self, pts: int | None) -> None:
            self.pts, self.dts, self.duration, self.height, self.width = pts, None, 5, 48, 64

    film = read_film(make_film(tmp_path / "film.mp4", Written(stamps=(0,))))
    frames = Frames(film)
    frames._decoded = lambda: iter([Stamp(10), Stamp(20), Stamp(20), Stamp(None), Stamp(9000)])  # type: ignore[assignment, method-assign, list-item]
    assert [each.pts for each in frames] == [10, 20, 21, 21 + 512, 9000]
    assert str(frames.damage) == ("2 frame(s) without a time stamp after the one before were moved behind it")


def test_a_film_of_two_sizes_is_refused(tmp_path: Path) -> None:
    small, large = (tmp_path / name for name in ("small.ts", "large.ts"))
    make_film(
        small, Written(codec="mpeg2video", options=(), time_base=Fraction(1, 25), stamps=range(4), last=1)
    )
    make_film(
        large,
        Written(
            codec="mpeg2video",
            options=(),
            time_base=Fraction(1, 25),
            stamps=range(4, 8),
            last=1,
            size=(64, 80),
        ),
    )
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    with pytest.raises(UnreadableFilmError, match="change from 64 x 48 to 80 x 64 within the film"):
        list(Frames(read_film(both)))


def test_what_cannot_be_kept_is_noted(tmp_path: Path) -> None:
    woven = Written(options=(("x264-params", "interlaced=1"),), colorspace=2)
    notes = read_film(make_film(tmp_path / "woven.mkv", woven)).notes
    assert [
        words
        for words in ("does not state its matrix: read as BT.601", "is interlaced")
        if words in str(notes)
    ] == [
        "does not state its matrix: read as BT.601",
        "is interlaced",
    ]
    display = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    hdr = Written(
        codec="libx265",
        pixels="yuv420p10le",
        colorspace=9,
        primaries=9,
        transfer=16,
        options=(("x265-params", f"log-level=error:hdr10=1:master-display={display}:max-cll=1000,400"),),
    )
    (note,) = read_film(make_film(tmp_path / "hdr.mkv", hdr)).notes
    assert (
        note == "left out, since it cannot be written: the light levels of HDR, the mastering display of HDR"
    )
