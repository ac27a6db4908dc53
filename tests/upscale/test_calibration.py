"""The tiles by which a net is quantised."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from sr.ops.normalisation import FULL_RANGE, normalisation
from sr.upscale.calibration import CALIBRATING, HELD_BACK, SIDE, draw_tiles

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a picture of noise, and return its path."""

    def written(name: str, height: int, width: int, *, channels: int = 3, seed: int = 0) -> Path:
        levels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / name), levels)
        return tmp_path / name

    return written


def _values(tile: torch.Tensor) -> bytes:
    return tile.numpy().tobytes()


def test_tiles_are_those_of_the_pictures_and_no_tile_is_twice_among_them(write: Write) -> None:
    files = [write("a.png", 3 * SIDE + 5, 2 * SIDE + 63, seed=1), write("b.png", SIDE, 3 * SIDE, seed=2)]
    tiles = draw_tiles(files, channels=3, by=FULL_RANGE)
    pictures = [cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB) for file in files]
    expected = {
        (picture[top : top + SIDE, left : left + SIDE].transpose(2, 0, 1) / np.float32(255)).tobytes()
        for picture in pictures
        for top in range(0, picture.shape[0] - SIDE + 1, SIDE)
        for left in range(0, picture.shape[1] - SIDE + 1, SIDE)
    }
    found = [_values(tile) for tile in tiles.calibrating + tiles.held_back]
    assert len(expected) == len(found) == 9
    assert set(found) == expected
    assert (len(tiles.held_back), tiles.pictures) == (1, 2)  # a fifth
    assert {tuple(tile.shape) for tile in tiles.calibrating} == {(1, 3, SIDE, SIDE)}


def test_of_many_tiles_a_number_is_drawn_the_same_ones_every_time(write: Write) -> None:
    files = [write("large.png", 10 * SIDE, 10 * SIDE)]
    one, other = (draw_tiles(files, channels=3, by=FULL_RANGE) for _ in range(2))
    assert (len(one.calibrating), len(one.held_back)) == (CALIBRATING, HELD_BACK)
    assert not {_values(tile) for tile in one.calibrating} & {_values(tile) for tile in one.held_back}
    assert one.digest == other.digest
    assert [_values(tile) for tile in one.held_back] == [_values(tile) for tile in other.held_back]
    assert (
        one.digest
        != draw_tiles([write("large.png", 10 * SIDE, 10 * SIDE, seed=1)], channels=3, by=FULL_RANGE).digest
    )


def test_small_pictures_are_tiles_as_they_are(write: Write) -> None:
    files = [write(f"{number}.png", 20 + number, 100, seed=number) for number in range(5)]
    tiles = draw_tiles(files, channels=3, by=FULL_RANGE)
    shapes = {tuple(tile.shape) for tile in tiles.calibrating + tiles.held_back}
    assert shapes == {(1, 3, 20 + number, SIDE) for number in range(5)}


def test_a_net_sees_gray_three_times_and_colours_one_after_the_other(write: Write) -> None:
    gray = draw_tiles([write("gray.png", 2 * SIDE, SIDE, channels=1)], channels=3, by=FULL_RANGE)
    (tile,) = gray.held_back
    assert tile.shape == (1, 3, SIDE, SIDE)
    assert torch.equal(tile[:, 0], tile[:, 1]) and torch.equal(tile[:, 0], tile[:, 2])
    colours = draw_tiles([write("colour.png", 2 * SIDE, SIDE)], channels=1, by=FULL_RANGE)
    assert colours.held_back[0].shape == (3, 1, SIDE, SIDE)


def test_values_are_those_that_the_net_was_trained_with(write: Write) -> None:
    file = write("a.png", 2 * SIDE, SIDE)
    by = normalisation({"low": 100.0, "high": 120.0})
    (plain,), (ranged,) = (draw_tiles([file], channels=3, by=each).held_back for each in (FULL_RANGE, by))
    torch.testing.assert_close(ranged, (255 * plain - 100) / 20)


def test_what_the_net_is_not_for_is_left_out_by_name(write: Write, tmp_path: Path) -> None:
    said: list[str] = []
    broken, good = write("broken.png", 3 * SIDE, SIDE), write("good.png", 3 * SIDE, SIDE, seed=1)
    broken.write_bytes(broken.read_bytes()[:4000])  # its header is whole
    (tmp_path / "text.png").write_text("no picture")
    tiles = draw_tiles([broken, tmp_path / "text.png", good], channels=3, by=FULL_RANGE, report=said.append)
    assert (tiles.pictures, len(tiles.calibrating + tiles.held_back)) == (1, 3)
    assert len(said) == 2
    assert all(line.startswith("left out of the calibration: ") for line in said)
    assert {Path(line.split(": ")[1]).name for line in said} == {"broken.png", "text.png"}
    with pytest.raises(ValueError, match=r"1 picture\(s\) give 0 tile\(s\)"):
        draw_tiles([good], channels=4, by=FULL_RANGE, report=said.append)
    assert "the net is for 4 channels, the image has 3" in said[-1]


def test_a_single_tile_cannot_be_calibrated_with_and_measured(write: Write) -> None:
    with pytest.raises(
        ValueError, match=r"1 picture\(s\) give 1 tile\(s\) of 64 x 64, .*: give more or larger"
    ):
        draw_tiles([write("a.png", SIDE, SIDE)], channels=3, by=FULL_RANGE)
