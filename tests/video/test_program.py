"""sr-upscale on films: what is written is read by PyAV and compared with what was given."""

import re
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from films import (
    MATRIX_QUARTER_TURN,
    Found,
    Written,
    make_film,
    moving,
    picture_frame,
    read_back,
    with_extras,
)
from upscaling import upscale

from sr.pictures.reading import read_picture
from sr.pictures.writing import write_png

UNEVEN = (0, 512, 700, 1536, 2048, 2500, 3000, 4000, 5000)
LOSSLESS = (("qp", "0"), ("preset", "ultrafast"))


def enlarge(source: Path, out: Path, ckpt: str, *options: object) -> Found:
    assert upscale(source, "--ckpt", ckpt, "--out", out, "--precision", "fp32", *options) == 0
    return read_back(out)


def doubled(planes: np.ndarray) -> np.ndarray:
    return planes.repeat(2, axis=-2).repeat(2, axis=-1)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_everything_beside_the_pixels_stays(tmp_path: Path, doubling: str, suffix: str) -> None:
    given = make_film(
        tmp_path / f"film{suffix}",
        Written(
            stamps=UNEVEN,
            rotation=MATRIX_QUARTER_TURN,
            pixel_aspect=Fraction(4, 3),
            audio=True,
            subtitles=True,
            chapters=True,
        ),
    )
    before, after = read_back(given), enlarge(given, tmp_path / f"x2{suffix}", doubling, "--segment", 4)
    assert after.stamps == before.stamps and len(after.stamps) == 9
    assert after.end == before.end
    assert after.types == before.types
    assert {key: value for key, value in after.packets.items() if key} == {
        key: value for key, value in before.packets.items() if key
    }
    assert (before.rotation, before.pixel_aspect) == (-90, Fraction(4, 3))
    for name in ("rotation", "pixel_aspect", "colours", "pixels", "chapters", "title", "codec"):
        assert getattr(after, name) == getattr(before, name), name
    assert after.chapters == [(0, "one"), (Fraction(1, 5), "two")]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("pixels", "colorspace", "color_range"),
    [("yuv444p", 1, 1), ("yuv444p", 6, 2), ("yuv444p10le", 9, 1), ("yuv444p10le", 1, 2)],
)
def test_pixels_are_those_of_the_net_to_the_level(
    tmp_path: Path, doubling: str, pixels: str, colorspace: int, color_range: int
) -> None:
    given = make_film(
        tmp_path / "film.mkv",
        Written(
            codec="libx264",
            pixels=pixels,
            colorspace=colorspace,
            color_range=color_range,
            primaries=9,
            transfer=16,
            options=LOSSLESS,
            stamps=(0, 512, 1024),
        ),
    )
    before = read_back(given)
    after = enlarge(given, tmp_path / "x2.mkv", doubling, "--codec", "ffv1")
    assert after.pixels == pixels
    assert after.colours == before.colours == (colorspace, color_range, 9, 16)
    for one, other in zip(before.frames, after.frames, strict=True):
        assert np.array_equal(other, doubled(one))


def linear(chroma: np.ndarray) -> np.ndarray:
    """(2, h, w) -> (2, 2h, 2w) where a doubled film has its chroma: at every luma row and column of the input."""
    places, rows = np.arange(2 * chroma.shape[2]), np.arange(2 * chroma.shape[1])
    wide = np.array([[np.interp(places, places[::2], row) for row in plane] for plane in chroma])
    high = [[np.interp(rows, rows[::2] + 0.5, column) for column in plane.T] for plane in wide]
    return np.array(high).transpose(0, 2, 1)


def test_thinned_chroma_and_a_lossy_codec(tmp_path: Path, doubling: str) -> None:
    given = make_film(tmp_path / "film.mp4", Written(stamps=(0, 512, 1024), options=LOSSLESS))
    before, after = read_back(given), enlarge(given, tmp_path / "x2.mp4", doubling)
    assert (after.codec, after.pixels, after.colours) == ("h264", "yuv420p", (1, 1, 1, 1))
    for one, other in zip(before.frames, after.frames, strict=True):
        luma, chroma = np.abs(other[:96].astype(int) - doubled(one[:48])), other[96:].reshape(2, 48, 64)
        assert luma.mean() < 1.5 and luma.max() < 16
        assert np.abs(chroma - linear(one[48:].reshape(2, 24, 32))).mean() < 2


def test_ten_bits_become_hevc_of_ten_bits(tmp_path: Path, doubling: str) -> None:
    written = Written(pixels="yuv420p10le", colorspace=9, primaries=9, transfer=18, stamps=(0, 512, 1024))
    given = make_film(tmp_path / "film.mp4", written)
    after = enlarge(given, tmp_path / "x2.mp4", doubling)
    assert (after.codec, after.pixels, after.colours) == ("hevc", "yuv420p10le", (9, 1, 9, 18))
    assert np.abs(after.frames[0][:96].astype(int) - doubled(read_back(given).frames[0][:48])).mean() < 4
    with av.open(str(tmp_path / "x2.mp4")) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"


def test_a_film_without_tags_is_tagged_by_what_it_was_read_as(
    tmp_path: Path, doubling: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """48 lines are BT.601; without a tag, a player would take the enlarged film for BT.709 one day."""
    written = Written(
        pixels="yuv444p", colorspace=2, color_range=0, primaries=2, transfer=2, options=LOSSLESS
    )
    frames = [picture_frame(moving(0), Written(pixels="yuv444p", colorspace=6))]
    given = make_film(tmp_path / "film.mkv", Written(**{**vars(written), "stamps": (0,)}), frames)
    assert read_back(given).colours == (2, 0, 2, 2)
    after = enlarge(given, tmp_path / "x2.mkv", doubling, "--codec", "ffv1")
    assert after.colours == (6, 1, 2, 2)
    assert "does not state its matrix: read as BT.601, limited range" in capfd.readouterr().err
    (rgb,) = upscaled_frames(given, tmp_path / "frames", doubling)
    assert np.abs(rgb / 255 - doubled(moving(0).transpose(2, 0, 1)).transpose(1, 2, 0)).max() < 0.02


def upscaled_frames(given: Path, out: Path, ckpt: str) -> list[np.ndarray]:
    assert upscale(given, "--ckpt", ckpt, "--out", out, "--precision", "fp32", "--frames") == 0
    return [read_picture(path).colour for path in sorted((out / given.stem).iterdir())]


def test_frames_out_and_in_again(tmp_path: Path, doubling: str) -> None:
    given = make_film(
        tmp_path / "film.mkv", Written(pixels="yuv444p", options=LOSSLESS, stamps=(0, 512, 1024))
    )
    frames = upscaled_frames(given, tmp_path / "out", doubling)
    assert [path.name for path in sorted((tmp_path / "out" / "film").iterdir())] == [
        "000001.png",
        "000002.png",
        "000003.png",
    ]
    for number, frame in enumerate(frames):
        expected = doubled(moving(number).transpose(2, 0, 1)).transpose(1, 2, 0)
        assert frame.dtype == np.uint8 and np.abs(frame / 255 - expected).max() < 0.02
    after = enlarge(tmp_path / "out" / "film", tmp_path / "again.mkv", doubling, "--fps", "30000/1001")
    assert after.stamps == [Fraction(0), Fraction(33, 1000), Fraction(67, 1000)]
    assert (after.codec, after.pixels, after.colours) == ("h264", "yuv420p", (1, 1, 1, 1))
    assert after.frames[0].shape == (288, 256)


def test_frames_are_sorted_as_numbers_and_have_one_size(
    tmp_path: Path, doubling: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2, 10):
        write_png(tmp_path / "in" / f"{number}.png", np.full((16, 32, 3), number * 20, np.uint8))
    after = enlarge(tmp_path / "in", tmp_path / "x.mkv", doubling, "--fps", 25, "--codec", "ffv1")
    assert [int(frame[0, 0]) for frame in after.frames] == [16 + round(g * 219 / 255) for g in (20, 40, 200)]
    assert after.stamps == [Fraction(n, 25) for n in range(3)]
    assert after.end == Fraction(3, 25)  # the last frame is shown as long as the others
    write_png(tmp_path / "in" / "11.png", np.zeros((16, 34, 3), np.uint8))
    assert upscale(tmp_path / "in", "--ckpt", doubling, "--out", tmp_path / "y.mkv", "--fps", 25) == 1
    assert "11.png: is 34 x 16, the first frame 32 x 16" in capfd.readouterr().err
    assert not (tmp_path / "y.mkv").exists()


def test_films_and_pictures_of_a_folder(
    tmp_path: Path, doubling: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    make_film(
        folder / "deep" / "a.avi",
        Written(codec="mpeg4", options=(), time_base=Fraction(1, 25), stamps=range(3), last=1),
    )
    make_film(folder / "b.mp4", Written(stamps=(0, 512)))
    write_png(folder / "c.png", np.zeros((8, 8, 3), np.uint8))
    (folder / "d.mkv").write_bytes(b"no film")
    assert upscale(folder, "--ckpt", doubling, "--out", tmp_path / "out") == 1
    out, err = capfd.readouterr()
    assert out.splitlines()[-1] == "done: 3 upscaled, 0 skipped, 1 failed"
    assert "d.mkv: not a film, or damaged at its beginning or its end" in err
    names = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*"))
    assert names == ["b.mp4", "c.png", "deep/a.mkv"]
    assert read_back(tmp_path / "out" / "deep" / "a.mkv").stamps == [Fraction(n, 25) for n in range(3)]
    assert upscale(folder, "--ckpt", doubling, "--out", tmp_path / "out", "--skip-existing") == 1
    assert capfd.readouterr().out.splitlines()[-1] == "done: 0 upscaled, 3 skipped, 1 failed"


def test_subtitles_change_their_form_where_the_container_asks_for_it(
    tmp_path: Path, doubling: str, capfd: pytest.CaptureFixture[str]
) -> None:
    given = make_film(tmp_path / "film.mp4", Written(subtitles=True))
    after = enlarge(given, tmp_path / "x.mkv", doubling)
    assert after.packets[1] == [(Fraction(1, 10), b"Hello")]
    assert "stream 1, subtitle (mov_text) becomes subrip, without styles" in capfd.readouterr().err
    again = enlarge(tmp_path / "x.mkv", tmp_path / "x4.mp4", doubling)
    assert again.packets[1][-1] == (Fraction(1, 10), b"\x00\x05Hello")


def test_what_is_damaged_is_kept_as_far_as_it_goes(
    tmp_path: Path, doubling: str, capfd: pytest.CaptureFixture[str]
) -> None:
    given = make_film(tmp_path / "film.mkv", Written(options=LOSSLESS))
    data = bytearray(given.read_bytes())
    with av.open(str(given)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    end = packets[6][0]
    data[end - packets[5][1] : end - 20] = bytes(packets[5][1] - 20)
    given.write_bytes(bytes(data))
    after = enlarge(given, tmp_path / "x2.mkv", doubling)
    err = capfd.readouterr().err
    assert (
        "film.mkv: damaged: 1 packet(s) could not be decoded, their frames are missing in the result" in err
    )
    assert len(after.stamps) == 11


def test_broken_off_film(tmp_path: Path, doubling: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Matroska can be read up to where it ends; MP4 has its index at the end."""
    for name in ("film.mkv", "film.mp4"):
        given = make_film(tmp_path / name, Written(options=LOSSLESS))
        given.write_bytes(given.read_bytes()[:-6000])
    after = enlarge(tmp_path / "film.mkv", tmp_path / "x2.mkv", doubling)
    assert 0 < len(after.stamps) < 12
    assert upscale(tmp_path / "film.mp4", "--ckpt", doubling, "--out", tmp_path / "x2.mp4") == 1
    assert "film.mp4: not a film, or damaged at its beginning or its end" in capfd.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir() if "x2" in path.name) == ["x2.mkv"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--out", "x.avi"], "x.avi: films are written as .mkv, .mp4"),
        (["--out", "x.mkv", "--fps", "25"], "--fps is for pictures that become a film"),
        (["--out", "x.mkv", "--frames"], "--frames writes pictures: name a folder"),
        (["--out", "out", "--frames", "--resume"], "with --frames, --skip-existing goes on"),
        (["--out", "film.mkv"], "film.mkv would be written over an input"),
        (["--out", "x.mkv", "film.mkv", "film.mkv/../other.mkv"], "other.mkv does not exist"),
    ],
)
def test_options_that_do_not_go_together(
    tmp_path: Path, doubling: str, options: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_film(Path("film.mkv"), Written(stamps=(0,)))
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        upscale("film.mkv", "--ckpt", doubling, *options)


def test_options_of_films_without_a_film(tmp_path: Path, doubling: str) -> None:
    write_png(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    options = (tmp_path / "a.png", "--ckpt", doubling, "--out")
    with pytest.raises(ValueError, match="--crf, --blend: no input is a film"):
        upscale(*options, tmp_path / "out", "--crf", 3, "--blend", 0.5)
    with pytest.raises(ValueError, match=r"x\.mkv: a film of pictures needs --fps"):
        upscale(*options, tmp_path / "x.mkv")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--codec", "ffv1", "--out", "x.mp4"],
            "--codec ffv1: .mp4 does not hold it: give --out one of .mkv",
        ),
        (["--crf", "77", "--out", "x.mp4"], "--crf=77 must be from 0 \\(best\\) to 51 with h264"),
        (["--pixel-format", "yuva420p", "--out", "x.mkv"], "has transparency"),
        (["--pixel-format", "gray", "--out", "x.mkv"], "--pixel-format gray: is gray, and .* is colour"),
        (
            ["--scale", "1.5625", "--out", "x.mkv"],
            "the result is 100 x 75, and yuv420p needs a multiple of 2 x 2",
        ),
    ],
)
def test_what_an_encoder_cannot_do_is_said(
    tmp_path: Path,
    doubling: str,
    options: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    make_film(Path("film.mkv"), Written(stamps=(0,)))
    assert upscale("film.mkv", "--ckpt", doubling, *options) == 1
    assert re.search(words, capfd.readouterr().err)
    assert not Path("x.mkv").exists() and not Path("x.mp4").exists()


def test_without_the_library(
    tmp_path: Path, doubling: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    write_png(folder / "c.png", np.zeros((8, 8, 3), np.uint8))
    make_film(folder / "film.mkv", Written(stamps=(0,)))
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setattr("sr.programs.upscale_plan.has_av", lambda: False)
    with pytest.raises(RuntimeError, match=r"PyAV: pip install 'sr-lightning\[video\]'"):
        upscale(folder / "film.mkv", "--ckpt", doubling, "--out", tmp_path / "out")
    assert upscale(folder, "--ckpt", doubling, "--out", tmp_path / "out") == 0
    assert "1 film(s) among the images are left out" in capfd.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["c.png"]


def test_time_stamps_between_milliseconds_are_rounded_and_it_is_said(
    tmp_path: Path, doubling: str, capfd: pytest.CaptureFixture[str]
) -> None:
    given = make_film(tmp_path / "film.mp4", Written(stamps=UNEVEN))
    after = enlarge(given, tmp_path / "x2.mkv", doubling)
    words = "x2.mkv: time stamps are rounded to milliseconds, as .mkv keeps them"
    assert words in capfd.readouterr().err
    assert after.stamps == [Fraction(int(pts / 12.8 + 0.5), 1000) for pts in UNEVEN]
    even = make_film(tmp_path / "even.mp4", Written(stamps=(0, 512, 1024)))
    enlarge(even, tmp_path / "even.mkv", doubling)
    assert "rounded" not in capfd.readouterr().err


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


def test_attachments_and_covers(tmp_path: Path, doubling: str, capfd: pytest.CaptureFixture[str]) -> None:
    plain = make_film(tmp_path / "plain.mkv", Written(stamps=(0, 512)))
    fonts = with_extras(plain, tmp_path / "fonts.mkv", attachment=b"FONT" * 99)
    assert upscale(fonts, "--ckpt", doubling, "--out", tmp_path / "fonts.mp4") == 1
    assert (
        "fonts.mkv: .mp4 cannot hold stream 1, attachment: name a .mkv with --out" in capfd.readouterr().err
    )
    assert upscale(fonts, "--ckpt", doubling, "--out", tmp_path / "x2.mkv") == 0
    with av.open(str(tmp_path / "x2.mkv")) as container:
        (attached,) = container.streams.attachments
        assert (attached.name, attached.mimetype, attached.data) == ("font.ttf", "font/ttf", b"FONT" * 99)
    covered = with_extras(plain, tmp_path / "covered.mp4", cover=PNG)
    for name in ("x3.mp4", "x3.mkv"):  # a stream of one packet here, an attachment there
        assert upscale(covered, "--ckpt", doubling, "--out", tmp_path / name) == 0
        with av.open(str(tmp_path / name)) as container:
            cover = container.streams.video[1]
            assert cover.disposition == av.stream.Disposition.attached_pic
            assert [bytes(packet) for packet in container.demux(cover) if packet.size] == [PNG]
    assert upscale(tmp_path / "x3.mkv", "--ckpt", doubling, "--out", tmp_path / "x4.mkv") == 0
    with av.open(str(tmp_path / "x4.mkv")) as container:
        assert container.streams.video[1].metadata["filename"] == "cover.png"


def test_one_of_two_video_streams(tmp_path: Path, doubling: str, capfd: pytest.CaptureFixture[str]) -> None:
    plain = make_film(tmp_path / "plain.mkv", Written(stamps=(0, 512)))
    after = enlarge(with_extras(plain, tmp_path / "two.mkv", again=True), tmp_path / "x2.mkv", doubling)
    assert after.types == ["video"]
    assert "has 1 more video stream(s), which are left out" in capfd.readouterr().err
