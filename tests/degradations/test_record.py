"""Records: replay to the bit, JSON, and what is no record."""

import json
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import compose_config, picture
from hydra.utils import instantiate
from processes import ROOT

from sr.degradations.pipeline import Degradation
from sr.degradations.record import VERSION, DegradationError, Record
from sr.degradations.resize import Resize
from sr.degradations.step import Step
from sr.ops.image import to_float

HR = to_float(picture(96, 128))


def chain(name: str) -> Degradation:
    built: Degradation = instantiate(compose_config(f"degradation={name}").degradation)
    return built


@pytest.mark.parametrize("name", ["realesrgan", "realesrgan_mild", "bsrgan", "mild", "aliased", "bicubic"])
def test_a_record_read_from_json_gives_the_same_lr_to_the_bit(name: str) -> None:
    degradation = chain(name)
    for number in range(8):
        record = degradation.draw(np.random.default_rng((7, number)))
        again = Record.from_json(record.to_json())
        assert again == record
        assert [*again.steps] == [*record.steps]
        np.testing.assert_array_equal(again.apply(HR), record.apply(HR))


def test_the_chains_above_draw_every_step_there_is() -> None:
    """So a new step that no replay has been tried with shows here."""
    drawn: set[type] = set()
    for name in ("realesrgan", "bsrgan", "mild", "bicubic"):
        for number in range(8):
            steps = chain(name).draw(np.random.default_rng((7, number))).steps
            drawn |= {type(step) for step in steps.values()}
    for file in (ROOT / "sr" / "degradations").glob("*.py"):
        module = import_module(f"sr.degradations.{file.stem}")
        own = [kind for kind in vars(module).values() if getattr(kind, "__module__", "") == module.__name__]
        steps = {kind for kind in own if is_dataclass(kind) and issubclass(kind, Step)}
        assert steps <= drawn, file


STEP = """
import subprocess
from dataclasses import dataclass

@dataclass(frozen=True, kw_only=True)
class Darker:
    factor: float

    def __call__(self, image, *, hr_size):
        return image * self.factor
"""


def test_a_step_of_the_user_s_is_replayed_where_its_package_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_steps").mkdir()
    (tmp_path / "my_steps" / "light.py").write_text(STEP)
    monkeypatch.syspath_prepend(tmp_path)
    record = Record(scale=1, steps={"dark": import_module("my_steps.light").Darker(factor=0.5)})
    text = record.to_json()
    again = Record.from_json(text, trust=["my_steps"])
    assert again == record
    np.testing.assert_array_equal(again.apply(HR), record.apply(HR))
    assert record.parameters() == {"dark.kind": "Darker", "dark.factor": 0.5}
    with pytest.raises(
        ValueError,
        match=r"dark\.kind: my_steps\.light\.Darker is not in sr\.degradations, .*: trust=\[my_steps\]$",
    ):
        Record.from_json(text)
    with pytest.raises(ValueError, match=r"is not in sr\.degradations or my_steps\.l, and"):
        Record.from_json(text, trust=["my_steps.l"])
    for elsewhere, why in (
        ("my_steps.light.subprocess.Popen", "there is no module my_steps.light.subprocess"),
        ("my_steps.light.dataclass", "a function, not a class"),
        ("my_steps.light", "a module, not a class"),
    ):
        with pytest.raises(ValueError, match=why):
            Record.from_json(text.replace("my_steps.light.Darker", elsewhere), trust=["my_steps"])


def test_a_record_imports_nothing_that_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stranger.py").write_text("raise SystemExit('it has run')")
    monkeypatch.syspath_prepend(tmp_path)
    for kind in ("stranger.X", "stranger", "sr.degradations.record.Record", "sr.degradationsx.y.Z", "..x", 3):
        with pytest.raises(
            ValueError, match=r"a\.kind(: |=).* is not (in sr\.degradations|the import path|a step)"
        ):
            Record.from_json(_json(steps=[{"path": "a", "kind": kind}]))


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
            _json(steps=[{"path": "a", "kind": "sr.degradations.resize.Warp"}]),
            "a.kind: sr.degradations.resize.Warp is nothing, not a class",
        ),
        (
            _json(steps=[{"path": "a", "kind": "sr.degradations.resize.Resize", "size": 3}]),
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
        DegradationError, match=r"first.resize failed: 'lanczos'; the draws were .*\"fraction\": 0.25"
    ):
        record.apply(HR)


def test_a_chain_that_does_not_end_at_lr_is_refused() -> None:
    record = Record(scale=4, steps={"a": Resize(fraction=0.5, mode="area")})
    with pytest.raises(DegradationError, match=r"made 128 x 96 pixels 64 x 48, which is not LR at scale=4"):
        record.apply(HR)
