"""How stages are put together."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from helpers import compose_config
from hydra.utils import instantiate

from sr.degradations.compression import RandomJpeg
from sr.degradations.pipeline import Degradation, OneOf, Shuffled
from sr.degradations.record import DegradationError
from sr.degradations.resize import RandomResize, ResizeToLR

TO_LR = ResizeToLR(scale=4)
JPEG = RandomJpeg(quality=[50, 60])
ANY = RandomResize(directions={"down": 1.0}, factor=[0.5, 1])


def paths(stages: dict[str, Any], *, seed: int = 0) -> list[str]:
    return [*Degradation(scale=4, margin=8, stages=stages).draw(np.random.default_rng(seed)).steps]


def test_groups_are_flattened_in_order() -> None:
    stages = {"first": {"resize": ANY, "deep": {"jpeg": JPEG}}, "last": TO_LR}
    assert paths(stages) == ["first.resize", "first.deep.jpeg", "last"]


def test_a_stage_that_does_not_happen_leaves_no_step() -> None:
    assert paths({"never": RandomJpeg(quality=[50, 60], probability=0.0), "last": TO_LR}) == ["last"]


def test_shuffled_orders_are_equally_likely_but_for_what_is_kept() -> None:
    stages = {"mixed": Shuffled(stages={"a": JPEG, "b": JPEG, "c": ANY}, in_order=["c", "a"])}
    orders = Counter(tuple(path[-1] for path in paths(stages, seed=seed)) for seed in range(600))
    assert set(orders) == {("b", "c", "a"), ("c", "b", "a"), ("c", "a", "b")}
    assert min(orders.values()) > 150


def test_one_of_several_groups() -> None:
    choice = OneOf(
        stages={"jpeg": JPEG, "both": {"x": JPEG, "y": ANY}}, probabilities={"jpeg": 0.2, "both": 0.8}
    )
    drawn = Counter(tuple(paths({"one": choice}, seed=seed)) for seed in range(500))
    assert set(drawn) == {("one.jpeg",), ("one.both.x", "one.both.y")}
    assert 60 < drawn[("one.jpeg",)] < 140


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Degradation(scale=0, margin=0, stages={}), "scale=0 must be 1 or more"),
        (
            lambda: Degradation(scale=4, margin=6, stages={}),
            "degradation.margin=6 must be a multiple of scale=4",
        ),
        (lambda: Degradation(scale=4, margin=-4, stages={}), "degradation.margin=-4"),
        (
            lambda: Degradation(scale=4, margin=8, jitter=3, stages={}),
            "degradation.jitter=3 LR pixels must lie within",
        ),
        (lambda: Degradation(scale=4, margin=4, stages={"a": {"b": 3}}), r"stages.a.b=3 is not a stage"),
        (lambda: Shuffled(stages={"a": JPEG}, in_order=["b"]), "in_order=b is unknown: choose from a"),
        (lambda: OneOf(stages={"a": JPEG}, probabilities={"a": 0.3}), "probabilities={a: 0.3} must sum to 1"),
        (
            lambda: OneOf(stages={"a": JPEG, "b": JPEG}, probabilities={"a": 1}),
            "probabilities.b is missing",
        ),
        (
            lambda: OneOf(stages={"a": JPEG}, probabilities={"b": 1}),
            "probabilities.b is unknown: choose from a",
        ),
    ],
)
def test_bad_settings_are_named(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_check_finds_what_can_never_work() -> None:
    Degradation(scale=4, margin=8, stages={"jpeg": JPEG, "last": TO_LR}).check(channels=3)
    with pytest.raises(DegradationError, match=r"jpeg failed: channels=5: \.jpg holds 1 \(gray\) or 3"):
        Degradation(scale=4, margin=8, stages={"jpeg": JPEG, "last": TO_LR}).check(channels=5)
    with pytest.raises(DegradationError, match=r"there must be a sr\.degradations\.resize\.ResizeToLR"):
        Degradation(scale=4, margin=8, stages={"resize": ANY}).check(channels=3)


@pytest.mark.parametrize(
    ("name", "scale", "nothing"),
    [
        ("bicubic", 1, True),
        ("aliased", 1, True),
        ("bicubic", 2, False),
        ("mild", 1, False),
        ("realesrgan", 1, False),
    ],
)
def test_where_lr_would_be_hr(name: str, scale: int, nothing: bool) -> None:
    degradation = instantiate(compose_config(f"degradation={name}", f"scale={scale}").degradation)
    assert degradation.is_identity(channels=3) == nothing
