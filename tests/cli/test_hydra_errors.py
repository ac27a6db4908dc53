"""A configuration that cannot be composed is explained with the key and what to type."""

import shlex
from pathlib import Path

import pytest
from helpers import compose_config
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import OmegaConf

from sr.cli.errors import explain
from sr.cli.hydra_errors import explain_hydra


def explained(*overrides: str, program: str = "train") -> str:
    with pytest.raises(Exception) as caught:
        cfg = compose_config(*overrides, program=program)
        OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    message = explain(caught.value, explain_hydra)
    assert message is not None, "a traceback"
    return message


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "data.bacth_size=3",
            "there is no key data.bacth_size: did you mean data.batch_size or data.hr_patch_size?",
        ),
        ("sed=3", "there is no key sed: did you mean seed?"),
        ("batch_size=3", "there is no key batch_size: did you mean data.batch_size?"),
        ("lr=3", "there is no key lr: did you mean optimizer_g.lr or optimizer_d.lr?"),
        ("callbacks.sampls.count=3", "there is no key callbacks.sampls: did you mean callbacks.samples?"),
        ("gan_loss.foo=1", "there is no key gan_loss.foo: choose from "),
        ("data=foo", "data=foo: choose from dead_leaves, dead_leaves_256, folder, paired, samples, shards"),
        ("loss=l2", "loss=l2: choose from charbonnier, charbonnier_generalised, charbonnier_sharp, colour, "),
        ("+experiment=esrgan", "experiment is there already: write experiment=esrgan, without the +"),
        (
            "+data.batch_size=3",
            "+data.batch_size=3: the key is there already: write data.batch_size=3, without",
        ),
        ("data=folder", "data.train_dir is missing: write data.train_dir=VALUE"),
        ("seed=abc", "seed: Value 'abc' of type 'str' could not be converted to Integer"),
        ("init_strict=maybe", "init_strict: Value 'maybe' is not a valid bool"),
        (
            "data.val_dir=/a${b}",
            r"data.val_dir: Interpolation key 'b' not found; where ${ is meant as it stands, ",
        ),
        (
            "data.val_dir=${model.ramp.none}",
            "data.val_dir follows model.ramp.none, which this configuration does not have: give data.val_dir a value",
        ),
    ],
)
def test_the_key_is_named_with_what_to_type(override: str, message: str) -> None:
    assert explained(override).startswith(message)
    assert "full_key" not in explained(override)


def test_an_argument_that_the_constructor_takes_can_be_added() -> None:
    message = (
        "trainer.max_time is an argument that the configuration does not have yet: write +trainer.max_time=3"
    )
    assert explained("trainer.max_time=3") == message
    assert compose_config("+trainer.max_time=3").trainer.max_time == 3


def test_a_dollar_can_be_meant() -> None:
    (override,) = shlex.split(r"""'data.val_dir="/a\${b}"'""")
    assert compose_config(override).data.val_dir == "/a${b}"


@pytest.mark.parametrize(("program", "key"), [("evaluate", "drwas"), ("preview", "cuont")])
def test_the_other_programs_too(program: str, key: str) -> None:
    near = {"drwas": "draws", "cuont": "count"}[key]
    assert explained(f"{key}=1", program=program) == f"there is no key {key}: did you mean {near}?"


def test_a_module_that_is_not_here_is_named_with_what_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_part.py").write_text("import not_installed\n")
    monkeypatch.syspath_prepend(tmp_path)
    for target, module in (("nowhere.net.Net", "nowhere"), ("own_part.Net", "not_installed")):
        with pytest.raises(InstantiationException) as caught:
            instantiate({"_target_": target})
        found = explain(caught.value, explain_hydra)
        assert found is not None
        assert found.startswith(f"{target} needs the module {module}, which is not here: install its package")
