"""Records: replay to the bit, JSON, and what is no record."""

import json
from typing import Any

import numpy as np
import pytest
from helpers import compose_config, picture
from hydra.utils import instantiate

from sr.degradations.pipeline import Degradation
from sr.degradations.record import KINDS, VERSION, DegradationError, Record
from sr.degradations.resize import Resize
from sr.ops.image import to_float

HR = to_float(picture(96, 128))


def chain(name: str) -> Degradation:
    built: Degradation = instantiate(compose_config(f"degradation={name}").degradation)
    return built


@pytest.mark.parametrize("name", ["realesrgan", "bsrgan", "mild", "aliased", "bicubic"])
def test_a_record_read_from_json_gives_the_same_lr_to_the_bit(name: str) -> None:
    degradation = chain(name)
    for number in range(8):
        record = degradation.draw(np.random.default_rng((7, number)))
        again = Record.from_json(record.to_json())
        assert again == record
        assert [*again.steps] == [*record.steps]
        np.testing.assert_array_equal(again.apply(HR), record.apply(HR))


def test_every_kind_of_step_has_been_replayed() -> None:
    """The test above draws them all, so a new kind that is forgotten there shows here."""
    drawn = set()
    for name in ("realesrgan", "bsrgan", "mild", "bicubic"):
        for number in range(40):
            steps = chain(name).draw(np.random.default_rng((7, number))).steps if number < 8 else {}
            drawn |= {type(step).__name__ for step in steps.values()}
    assert drawn == set(KINDS)


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    degradation = chain("realesrgan")
    first, again, other = (degradation.draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_applying_leaves_hr_alone() -> None:
    before = HR.copy()
    for name in ("realesrgan", "bsrgan"):
        for number in range(6):
            chain(name).draw(np.random.default_rng(number)).apply(HR)
    np.testing.assert_array_equal(HR, before)


def test_parameters_are_flat_and_without_seeds() -> None:
    parameters = chain("realesrgan").draw(np.random.default_rng(0)).parameters()
    assert 30 <= parameters["first.jpeg.quality"] <= 95
    assert parameters["first.noise.kind"] in ("GaussianNoise", "PoissonNoise")
    assert not [name for name in parameters if name.endswith("seed")]


def _json(**changes: Any) -> str:
    content = json.loads(Record(scale=4, steps={"a": Resize(fraction=0.25, mode="area")}).to_json())
    return json.dumps(content | changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "no degradation record"),
        ('{"scale": 4}', "no degradation record"),
        (_json(steps={"a": {"kind": "Resize"}}), "no degradation record"),
        (_json(version=VERSION + 1), rf"version={VERSION + 1}: this code replays version {VERSION}"),
        (
            _json(steps=[{"path": "a", "kind": "Warp"}]),
            r"a.kind='Warp' is unknown: choose from MatlabBicubic, Blur",
        ),
        (
            _json(steps=[{"path": "a", "kind": "Resize", "size": 3}]),
            r"a: .*unexpected keyword argument 'size'",
        ),
    ],
)
def test_what_is_no_record_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Record.from_json(text)


def test_a_failing_step_names_itself_and_what_was_drawn() -> None:
    record = Record(scale=4, steps={"first.resize": Resize(fraction=0.25, mode="lanczos")})
    with pytest.raises(
        DegradationError, match=r"first.resize failed: 'lanczos'; drawn was .*\"fraction\": 0.25"
    ):
        record.apply(HR)


def test_a_chain_that_does_not_end_at_lr_is_refused() -> None:
    record = Record(scale=4, steps={"a": Resize(fraction=0.5, mode="area")})
    with pytest.raises(DegradationError, match=r"made 128 x 96 pixels 64 x 48, which is not LR at scale=4"):
        record.apply(HR)
