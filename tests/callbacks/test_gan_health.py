"""Warnings come for what lasts, once, in words that say what to do."""

import re
from types import SimpleNamespace

import pytest

from sr.callbacks.gan_health import GANHealth

HEALTHY = {
    "health/accuracy_d": 0.8,
    "health/gradient_l1": 1.0,
    "health/gradient_adversarial": 0.1,
    "health/share_l1": 0.91,
    "health/share_adversarial": 0.09,
    "health/colour_drift": 1.0,
}
TRAINER = SimpleNamespace(global_step=500)


@pytest.mark.parametrize(
    ("ill", "words"),
    [
        (
            {"health/accuracy_d": 0.995},
            "health/accuracy_d 0.995), so the generator learns little.*lower optimizer_d",
        ),
        (
            {"health/gradient_adversarial": 1e-4},
            "hardly moves the generator.*1.00e-04.*raise model.gan_weight",
        ),
        (
            {"health/colour_drift": 12.0},
            "colours drift.*12.0 levels of 255.*raise the weight of the pixel loss",
        ),
    ],
)
def test_what_lasts_is_said_once(ill: dict, words: str, caplog: pytest.LogCaptureFixture) -> None:
    health = GANHealth(patience=3)
    sick = HEALTHY | ill
    for numbers, said in ((sick, 0), (sick, 0), (HEALTHY, 0), (sick, 0), (sick, 0), (sick, 1), (sick, 1)):
        health.look(numbers, TRAINER)
        assert len(caplog.records) == said
    (record,) = caplog.records
    assert re.search("iteration 500: .*" + words.replace("(", r"\(").replace(")", r"\)"), record.getMessage())
    for _ in range(3):
        health.look(HEALTHY, TRAINER)
    for _ in range(3):
        health.look(sick, TRAINER)
    assert len(caplog.records) == 2  # it came back


def test_what_is_not_there_is_not_judged(caplog: pytest.LogCaptureFixture) -> None:
    """As while the discriminator is idle."""
    health = GANHealth(patience=1)
    alone = {"health/gradient_l1": 1.0, "health/gradient_edge": 0.0, "health/share_l1": 1.0}
    health.look({"health/colour_drift": 1.0, **alone}, TRAINER)
    health.look({}, TRAINER)
    assert not caplog.records
