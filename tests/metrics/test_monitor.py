"""Which of several states is the best."""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest

from sr.metrics.monitor import Monitor, monitored
from sr.metrics.quantity import Quantity

HIGHER, LOWER = Quantity(better="higher", digits=".2f"), Quantity(better="lower", digits=".4f")
QUANTITIES = {"psnr_y": HIGHER, "ssim_y": HIGHER, "lpips": LOWER, "sharpness": Quantity("neither", ".2f")}
WITHIN = Monitor.of({"best": "lpips", "within": {"psnr_y": 0.3}})
State = Mapping[str, float]


def random_states(count: int, *, seed: int) -> list[State]:
    draw = random.Random(seed)
    return [{"psnr_y": draw.uniform(29, 30), "lpips": draw.uniform(0.1, 0.3)} for _ in range(count)]


def replayed(monitor: Monitor, states: Sequence[State], *, count: int) -> Iterator[list[State]]:
    """What is kept after each state, with nothing known but what was kept and the new state."""
    kept: list[State] = []
    for state in states:
        known = [*kept, state]
        kept = [known[index] for index in monitor.kept(known, QUANTITIES, count=count)]
        yield kept


def test_a_name_is_a_choice_by_one_metric() -> None:
    states = [{"lpips": value} for value in (0.3, 0.1, 0.2, 0.1)]
    assert Monitor.of("lpips").kept(states, QUANTITIES, count=3) == [1, 3, 2]
    assert Monitor.of("psnr_y").kept([{"psnr_y": 30.0}, {"psnr_y": 31.0}], QUANTITIES, count=1) == [1]


def test_a_weighted_sum_counts_what_is_better_lower_as_negative() -> None:
    monitor = Monitor.of({"best": {"psnr_y": 1, "lpips": 20}})
    states = [{"psnr_y": 30.0, "lpips": 0.2}, {"psnr_y": 29.0, "lpips": 0.1}, {"psnr_y": 30.5, "lpips": 0.2}]
    # 30 - 4 = 26, 29 - 2 = 27, 30.5 - 4 = 26.5
    assert monitor.kept(states, QUANTITIES, count=3) == [1, 2, 0]


def test_the_best_is_the_least_lpips_among_those_near_the_best_psnr() -> None:
    states = [
        {"psnr_y": 30.0, "lpips": 0.20},
        {"psnr_y": 30.1, "lpips": 0.25},
        {"psnr_y": 30.35, "lpips": 0.30},
    ]
    # The second becomes the best as soon as the third puts the first out of the margin, so it was kept until then.
    assert [kept[0] for kept in replayed(WITHIN, states, count=1)] == [states[0], states[0], states[1]]
    assert [len(kept) for kept in replayed(WITHIN, states, count=1)] == [1, 2, 2]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("seed", range(20))
def test_what_is_kept_is_what_all_states_together_would_say(seed: int, count: int) -> None:
    states = random_states(30, seed=seed)
    for number, kept in enumerate(replayed(WITHIN, states, count=count), start=1):
        bar = max(state["psnr_y"] for state in states[:number]) - 0.3
        near = sorted(
            (state for state in states[:number] if state["psnr_y"] >= bar), key=lambda s: s["lpips"]
        )
        assert kept[: min(count, len(near))] == near[:count]


def test_only_what_can_still_become_the_best_is_kept_besides() -> None:
    for kept in replayed(WITHIN, random_states(200, seed=1), count=1):
        for better, worse in pairwise(kept):  # by LPIPS; each has a PSNR that makes up for it
            assert better["lpips"] < worse["lpips"] and better["psnr_y"] < worse["psnr_y"]


def test_a_value_that_is_not_a_number_is_the_worst() -> None:
    states = [{"psnr_y": math.nan, "lpips": math.nan}, {"psnr_y": 20.0, "lpips": 0.9}]
    assert WITHIN.kept(states, QUANTITIES, count=1) == [1]
    assert Monitor.of("psnr_y").kept(states, QUANTITIES, count=2) == [1, 0]


def test_where_one_metric_is_needed_it_is_the_first_of_the_best() -> None:
    assert monitored("psnr_y") == "psnr_y"
    assert monitored({"best": "lpips", "within": {"psnr_y": 0.3}}) == "lpips"
    assert monitored({"best": {"ssim_y": 1, "lpips": 2}}) == "ssim_y"
    assert WITHIN.names == ["lpips", "psnr_y"]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"within": {"psnr_y": 1}}, "monitor={'within': {'psnr_y': 1}}: write the name of a metric, or"),
        ({"best": "lpips", "margin": 1}, "write the name of a metric, or {best: lpips, within"),
        ({"best": {"lpips": -1}}, r"monitor.best.lpips=-1 must be a positive number"),
        ({"best": {"lpips": math.inf}}, r"monitor.best.lpips=inf must be a positive number"),
        ({"best": "lpips", "within": {"psnr_y": 0}}, "monitor.within.psnr_y=0 must be a positive number"),
        ({"best": "lpips", "within": 0.3}, r"monitor.within=0.3: write names of metrics with numbers"),
        ({"best": 3}, r"monitor.best=3: write names of metrics with numbers"),
    ],
)
def test_a_choice_that_cannot_be_meant_is_refused(chosen: Any, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        Monitor.of(chosen)
    assert said in str(caught.value)


@pytest.mark.parametrize("chosen", ["ssimm", {"best": "lpips", "within": {"sharpness": 1}}])
def test_a_name_that_cannot_say_what_is_better_is_refused(chosen: Any) -> None:
    with pytest.raises(ValueError, match=r"choose one of psnr_y, ssim_y, lpips; measure="):
        Monitor.of(chosen).check(QUANTITIES)
