"""Tiles cover an image once, lie where a net needs them, and blend to exactly the whole."""

from itertools import pairwise

import numpy as np
import pytest

from sr.upscale.grid import cut, cut_axis


def cases(count: int) -> list[dict[str, int]]:
    rng = np.random.default_rng(0)
    return [
        {
            "length": int(rng.integers(1, 300)),
            "tile": int(rng.integers(1, 80)),
            "reach": int(rng.integers(0, 30)),
            "fade": int(rng.integers(0, 9)),
            "align": int(rng.choice([1, 2, 4])),
        }
        for _ in range(count)
    ]


@pytest.mark.parametrize("case", cases(400), ids=str)
def test_spans_cover_an_axis_as_promised(case: dict[str, int]) -> None:
    length, reach, align = case["length"], case["reach"], case["align"]
    spans = cut_axis(**case)
    assert spans[0].own_start == spans[0].start == 0
    assert spans[-1].own_stop == spans[-1].stop == length
    assert len({span.stop - span.start for span in spans}) == 1
    for span in spans:
        assert 0 <= span.start <= span.own_start < span.own_stop <= span.stop <= length
        assert span.start % align == 0
        assert (length - span.stop) % align == 0
        # Whatever is used lies `reach` from a cut, unless the cut is the border.
        assert span.start == 0 or span.own_start - span.start >= reach
        assert span.stop == length or span.stop - (span.own_stop + span.fade_out) >= reach
        assert span.own_stop - span.own_start >= span.fade_in
    for before, after in pairwise(spans):
        assert before.own_stop == after.own_start
        assert before.fade_out == after.fade_in
        assert after.start - before.start <= -(-case["tile"] // align) * align


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("case", cases(40), ids=str)
def test_weights_add_up_to_one(case: dict[str, int], scale: int) -> None:
    total = np.zeros(case["length"] * scale)
    for span in cut_axis(**case):
        total[span.own_start * scale : (span.own_stop + span.fade_out) * scale] += span.weights(scale)
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_tiles_do_little_more_than_they_must() -> None:
    """512 pixels in tiles of 256 with a margin of 8: two of 264, and not two of 272 and a rest."""
    spans = cut_axis(512, tile=256, reach=7, fade=1)
    assert [(span.start, span.stop) for span in spans] == [(0, 264), (248, 512)]
    assert [(span.own_start, span.own_stop) for span in spans] == [(0, 255), (255, 512)]


def test_zero_and_small_images_are_one_tile() -> None:
    assert len(cut_axis(1000, tile=0, reach=50)) == 1
    assert len(cut_axis(36, tile=16, reach=10)) == 1
    assert len(cut_axis(37, tile=16, reach=10)) == 2
    assert len(cut(37, 20, tile=(16, 16), reach=10)) == 2


def test_grid_is_in_reading_order_with_one_size() -> None:
    grid = cut(100, 90, tile=(30, 40), reach=3, fade=2)
    places = [(tile.rows.start, tile.columns.start) for tile in grid]
    assert places == sorted(places)
    assert len(places) == len(grid) == len(grid.rows) * len(grid.columns)
    assert grid.tile_size == (grid.rows[-1].stop - grid.rows[-1].start, grid.columns[0].stop)


@pytest.mark.parametrize("wrong", [{"length": 0}, {"tile": -1}, {"reach": -1}, {"align": 0}, {"fade": -1}])
def test_numbers_out_of_range_are_named(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        cut_axis(**({"length": 10, "tile": 4, "reach": 1} | wrong))
