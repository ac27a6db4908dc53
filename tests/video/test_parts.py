"""Parts of a film: what they are made of, and how they are joined."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from sr.video.decode import Timed
from sr.video.enlarging import Enlarging, Lookahead
from sr.video.join import decoding_times
from sr.video.subtitles import conversion, to_mov_text, to_subrip


def test_decoding_times() -> None:
    assert decoding_times([0, 10, 20]) == [0, 10, 20]
    assert decoding_times([0, 30, 10, 20]) == [-10, 0, 10, 20]
    assert decoding_times([]) == []
    assert decoding_times([7]) == [7]


@pytest.mark.parametrize("seed", range(5))
def test_decoding_times_rise_and_never_come_after_their_frame(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shown: list[int] = []
    stamps = np.cumsum(rng.integers(1, 900, 200)).tolist()
    while stamps:  # groups of which the last is stored first
        group, stamps = stamps[: int(rng.integers(1, 6))], stamps[0:]
        stamps = stamps[len(group) :]
        shown += [group[-1], *group[:-1]]
    times = decoding_times(shown)
    assert all(one < other for one, other in itertools.pairwise(times))
    assert all(time <= stamp for time, stamp in zip(times, shown, strict=True))
    delay = next(place for place, time in enumerate(times) if time >= min(shown))
    assert delay == max(place - sorted(shown).index(stamp) for place, stamp in enumerate(shown))


class Log:
    """Enlarges by repeating, and notes what it gets."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        self.batches.append([int(image[0, 0, 0]) // 100 for image in images])
        return [image.repeat(2, 0).repeat(2, 1) for image in images]


def frames(count: int) -> Lookahead:
    return Lookahead(Timed(number, number * 10, 10) for number in range(count))


def image(timed: Timed) -> np.ndarray:
    return np.full((8, 8, 1), timed.frame * 100, np.uint16)


def test_frames_go_through_the_net_together() -> None:
    log, given = Log(), frames(7)
    results = list(Enlarging(image, log, together=3).part(given, before=None, length=5))
    assert log.batches == [[0, 1, 2], [3, 4]]
    assert [(timed.pts, int(result[0, 0, 0])) for timed, result in results] == [
        (n * 10, n * 100) for n in range(5)
    ]
    following = given.peek()
    assert following is not None and following.frame == 5


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.parametrize("length", [1, 2, 4, 9])
def test_parts_with_neighbours_are_the_whole(length: int, together: int) -> None:
    """A part sees one frame beyond each end, so cutting the film into parts changes nothing."""
    whole = list(Enlarging(image, Log(), together=2, weight=0.5).part(frames(9), before=None))
    given, before, found = frames(9), None, []
    while given.peek() is not None:
        for timed, result in Enlarging(image, Log(), together, weight=0.5).part(
            given, before=before, length=length
        ):
            found.append((timed, result))
        before = found[-1][0]
    assert [timed.pts for timed, _ in found] == [number * 10 for number in range(9)]
    for (_, one), (_, other) in zip(whole, found, strict=True):
        assert np.array_equal(one, other)
    assert int(whole[0][1][0, 0, 0]) == round((0 + 0.5 * 100) / 1.5)  # the first has one neighbour


def test_subtitles() -> None:
    assert to_subrip(b"\x00\x05Hello\x00\x00\x00\x0cstyl") == b"Hello"
    assert to_mov_text(b"<i>Hello</i> 1 < 2") == b"\x00\x0bHello 1 < 2"
    assert to_mov_text("{\\an8}für".encode()) == b"\x00\x04" + "für".encode()
    assert conversion("mov_text", "matroska") == ("subrip", to_subrip)
    assert conversion("srt", "mp4") == ("mov_text", to_mov_text)
    assert conversion("srt", "matroska") is None
    assert conversion("ass", "mp4") is None
