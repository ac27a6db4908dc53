"""The words for a measured pair, and for several."""

import pytest

from sr.data.registration.alignment import Alignment
from sr.data.registration.verdict import (
    ALIGNED,
    SHIFTED,
    UNDECIDED,
    UNEVEN,
    bound,
    direction,
    known_cause,
    pairs,
    together,
    verdict,
)


@pytest.mark.parametrize(("scale", "pixels"), [(1, 0.5), (2, 0.25), (4, 0.125), (8, 0.1)])
def test_half_an_hr_pixel_is_the_bound_where_it_can_be_measured(scale: int, pixels: float) -> None:
    assert bound(scale) == pixels


@pytest.mark.parametrize(
    ("alignment", "expected"),
    [
        (Alignment(4, 4, 0.08, 0.09, 0.0, 0.01), ALIGNED),
        (Alignment(4, 4, 0.09, 0.09, 0.0, 0.01), SHIFTED),  # 0.127 apart
        (Alignment(4, 4, 0.4, 0.0, 0.13, 0.01), UNEVEN),
        (Alignment(4, 1, 0.0, -0.2, 0.0, 0.09), SHIFTED),
        (Alignment(4), UNDECIDED),
    ],
)
def test_verdicts_at_x4(alignment: Alignment, expected: str) -> None:
    assert verdict(alignment, scale=4) == expected


def test_undecided_pairs_have_no_share_in_the_numbers_of_all() -> None:
    pairs = [
        Alignment(1, 1, 0.3, 0.4, 0.01),
        Alignment(1),
        Alignment(1, 1, 0.0, 0.1, 0.03),
        Alignment(1, 1, -3.0, 4.0, 0.02),
    ]
    found = together(pairs)
    assert found is not None
    assert (found.pairs, found.median, found.most) == (3, pytest.approx(0.5), pytest.approx(5.0))
    assert (found.spread, found.down, found.right) == pytest.approx((0.02, 0.0, 0.4))
    assert found.apart == "0.50 LR pixels apart (median), 5.00 at most"
    assert together([Alignment(3)]) is None and together([]) is None


def test_pairs_are_counted() -> None:
    assert [pairs(count) for count in (0, 1, 2)] == ["0 pairs", "1 pair", "2 pairs"]


def test_where_lr_lies() -> None:
    assert direction(0.384, -0.2) == "0.38 down and 0.20 left of HR"
    assert direction(-1.0, 0.0) == "1.00 up and 0.00 right of HR"


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_causes_that_show_in_the_shift(scale: int) -> None:
    first = (scale - 1) / 2 / scale
    every = known_cause(first, first + 0.01, scale=scale)
    assert every == (f"as if LR were hr[::{scale}, ::{scale}], single pixels of HR" if scale > 1 else "")
    nearest = known_cause(-0.5 / scale, -0.5 / scale, scale=scale)
    assert nearest == ("as if LR were made of HR by the nearest neighbour" if scale in (2, 4, 8) else "")
    assert known_cause(0.0, 0.0, scale=scale) == ""
    assert known_cause(first, -first, scale=scale) == ""
