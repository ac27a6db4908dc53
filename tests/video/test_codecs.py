"""Which encoder a film gets."""

import pytest

from sr.video.codecs import choose_encoding
from sr.video.layout import layout_of


@pytest.mark.parametrize(
    ("pixels", "suffix", "codec", "expected"),
    [
        ("yuv420p", ".mp4", "auto", "h264 (libx264), crf 16, yuv420p"),
        ("yuv422p", ".mkv", "auto", "h264 (libx264), crf 16, yuv422p"),
        ("yuv411p", ".mkv", "auto", "h264 (libx264), crf 16, yuv422p"),
        ("yuv440p", ".mkv", "auto", "h264 (libx264), crf 16, yuv444p"),
        ("yuv420p10le", ".mkv", "auto", "hevc (libx265), crf 18, yuv420p10le"),
        ("yuv444p12le", ".mov", "auto", "hevc (libx265), crf 18, yuv444p12le"),
        ("yuv420p9le", ".mov", "auto", "hevc (libx265), crf 18, yuv420p10le"),
        ("yuv422p16le", ".mkv", "auto", "ffv1 (ffv1), lossless, yuv422p16le"),
        ("gbrp", ".mkv", "auto", "hevc (libx265), crf 18, gbrp"),
        ("gray", ".mkv", "auto", "h264 (libx264), crf 16, gray"),
        ("yuv420p", ".webm", "auto", "av1 (libsvtav1), crf 20, yuv420p"),
        ("yuv420p", ".mkv", "hevc", "hevc (libx265), crf 18, yuv420p"),
    ],
)
def test_what_is_chosen(pixels: str, suffix: str, codec: str, expected: str) -> None:
    assert str(choose_encoding(layout_of(pixels), suffix=suffix, codec=codec)) == expected


@pytest.mark.parametrize(
    ("pixels", "suffix", "codec", "crf", "words"),
    [
        (
            "yuv420p",
            ".webm",
            "h264",
            None,
            r"--codec h264: \.webm does not hold it: give --out one of \.mkv, \.mp4",
        ),
        (
            "yuv444p",
            ".webm",
            "auto",
            None,
            r"pixel format yuv444p is not written by av1 in \.webm: choose --pixel",
        ),
        ("yuv422p16le", ".mp4", "auto", None, "yuv422p16le is not written by hevc or ffv1 in"),
        ("yuv420p", ".mkv", "ffv1", 5, "--crf=5: ffv1 loses nothing"),
        ("yuv420p", ".mkv", "av1", 64, r"--crf=64 must be from 0 \(best\) to 63 with av1"),
    ],
)
def test_what_is_refused(pixels: str, suffix: str, codec: str, crf: int | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        choose_encoding(layout_of(pixels), suffix=suffix, codec=codec, crf=crf)


def test_a_format_that_was_asked_for_is_not_exchanged() -> None:
    with pytest.raises(ValueError, match="pixel format yuv411p is not written by h264"):
        choose_encoding(layout_of("yuv411p"), suffix=".mp4", codec="h264", exactly=True)
