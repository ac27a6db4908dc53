"""Numbers that would train to nothing are refused by their key."""

from typing import Any

import pytest

from sr.training.optimization import Optimization


@pytest.mark.parametrize(
    ("key", "value", "range_"),
    [
        ("ema_decay", 1.0, r"must be in \[0, 1\)"),
        ("ema_decay", -0.1, r"must be in \[0, 1\)"),
        ("warmup_iterations", -1, "must be 0 or more"),
        ("gradient_clip", 0.0, "must be positive, or null for none"),
        ("accumulate", 0, "must be 1 or more"),
    ],
)
def test_numbers_out_of_their_range(key: str, value: Any, range_: str) -> None:
    with pytest.raises(ValueError, match=f"model.optimization.{key}={value} {range_}"):
        Optimization(**{key: value})


def test_the_ends_of_the_ranges_are_in_them() -> None:
    Optimization(ema_decay=0.0, warmup_iterations=0, gradient_clip=1e-9, accumulate=1)


def test_parts_of_unequal_size_are_refused() -> None:
    Optimization(accumulate=2).check_batch_size(4)
    with pytest.raises(
        ValueError, match=r"data\.batch_size=4 must be a multiple of model\.optimization\.accumulate=3"
    ):
        Optimization(accumulate=3).check_batch_size(4)
