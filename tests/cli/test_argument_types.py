"""Wrong types are found by the annotations of constructors."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from helpers import compose_config, experiments
from omegaconf import OmegaConf
from torch import Tensor, nn

from sr.cli.argument_types import accepts, check_types
from sr.degradations.pipeline import Degradation


def check(*overrides: str) -> None:
    given: Any = OmegaConf.to_container(compose_config(*overrides), resolve=True)
    check_types(given)


OTHERS = (
    ["data=folder", "data.train_dir=/x", "degradation=mild", "logger=tensorboard"],
    ["data=paired", "data.train_dir=/x", "data.train_lr_dir=/y", "degradation=aliased"],
    ["data=shards", "data.url=x", "degradation=bsrgan", "generator=srresnet", "discriminator=patch"],
    ["data=dead_leaves", "optimizer@optimizer_g=adamw", "scheduler@scheduler_d=cosine", "loss=charbonnier"],
)


def choices() -> list[object]:
    """Every experiment with all these; one of them for each is quick."""
    return [
        pytest.param(experiment, others, marks=[pytest.mark.slow] * (number % len(OTHERS) != place))
        for number, experiment in enumerate(experiments())
        for place, others in enumerate(OTHERS)
    ]


@pytest.mark.parametrize(("experiment", "others"), choices())
def test_everything_that_can_be_chosen_passes(experiment: str, others: list[str]) -> None:
    check(f"experiment={experiment}", *others)


def test_arguments_that_do_not_exist_are_named_with_those_that_do() -> None:
    """So it is said what an experiment sets for a model that was exchanged."""
    message = (
        r"^model\.gan_weight, model\.feature_matching, model\.ramp: PSNRModule has no such argument; it has"
        r" generator, .*, seed\. Where an experiment sets it, '~model\.gan_weight' '~model\.feature_matching'"
        r" '~model\.ramp' leaves it out$"
    )
    with pytest.raises(ValueError, match=message):
        check("experiment=quickstart", "model=psnr")
    left_out = ("~model.gan_weight", "~model.feature_matching", "~model.ramp")
    check("experiment=quickstart", "model=psnr", *left_out)
    with pytest.raises(
        ValueError, match=r"^generator\.num_feats: RRDBNet has no such argument; it has scale, "
    ):
        check("+generator.num_feats=3")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.max_steps=abc", "trainer.max_steps=abc must be a whole number"),
        ("trainer.max_steps=1e5", "must be a whole number: write trainer.max_steps=100000"),
        ("data.batch_size=2.5", "data.batch_size=2.5 must be a whole number"),
        ("data.batch_size=null", "data.batch_size=null must be a whole number"),
        ("data.batch_size=true", "data.batch_size=true must be a whole number"),
        ("optimizer_g.lr=abc", "optimizer_g.lr=abc must be a number"),
        ("optimizer_g.betas=3", "optimizer_g.betas=3 must be a list"),
        ("generator.num_feat=abc", "generator.num_feat=abc must be a whole number"),
        ("discriminator.num_feat=[3]", r"discriminator.num_feat=\[3\] must be a whole number"),
        ("model.gan_weight=abc", "model.gan_weight=abc must be a number"),
        ("loss.l1.weight=x", "loss.l1.weight=x must be a number"),
        ("data.augmentation=flip", "data.augmentation=flip must be a list"),
        ("data.val_dir=2024", "data.val_dir=2024 must be text or null: write 'data.val_dir=\"2024\"'"),
        ("data.sharpen=yes", "data.sharpen=yes must be a UnsharpMask, which is a dict with its class under"),
        ("trainer.deterministic=no", "trainer.deterministic=no must be true or false or warn or null"),
        ("callbacks.samples.count=x", "callbacks.samples.count=x must be a whole number"),
        ("model.gan_loss=3", "model.gan_loss=3 must be a GANObjective, which is a dict with its class under"),
        ("+trainer.fast_dev_run=x", "trainer.fast_dev_run=x must be a whole number or true or false"),
    ],
)
def test_a_value_of_another_type_is_named_with_what_it_can_be(override: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}" if message[0] != "m" else message):
        check(override)


@pytest.mark.parametrize(
    ("hint", "right", "wrong"),
    [
        (int, [0, -3], [1.0, True, "1", None, [1]]),
        (float, [0, 1.5], [True, "1", None]),
        (bool, [True], [1, "true", None]),
        (str, ["", "a"], [1, None, ["a"]]),
        (int | None, [None, 1], ["x"]),
        (Literal["a", 3], ["a", 3], ["b", None]),
        (Sequence[int], [[1], {"_target_": "x"}], [1, "ab", None]),
        (Mapping[str, int], [{"a": 1}], [1, "ab", None]),
        (float | Tensor, [1], ["x", None]),
        (Degradation | None, [{"_target_": "x"}, None], ["bicubic", 3]),
        (nn.Module, [{"_target_": "x"}], ["rrdbnet", None]),
        (Callable[[int], int], [{"_target_": "x", "_partial_": True}], ["adam", None]),
        (Path, ["a"], [3, None]),
        (Any, [1, "a", None, [1]], []),
        (object, [1, "a", None, [1]], []),
    ],
)
def test_annotations_and_plain_values(hint: Any, right: list[Any], wrong: list[Any]) -> None:
    assert [value for value in right if not accepts(hint, value)] == []
    assert [value for value in wrong if accepts(hint, value)] == []


class Strange:
    def __init__(self, *, size: int = None, rest: "Unknown" = 3) -> None:  # type: ignore[assignment, name-defined] # noqa: F821, RUF013
        pass


class Loose:
    def __init__(self, size: int = None, anything=None, **others: int) -> None:  # type: ignore[assignment, no-untyped-def] # noqa: RUF013
        pass


def test_what_annotations_do_not_say_is_left_to_the_constructor() -> None:
    here = __name__
    check_types({"a": {"_target_": f"{here}.Strange", "size": 3, "rest": "x"}})  # a hint that cannot be read
    with pytest.raises(ValueError, match=r"^a\.size=x must be a whole number$"):  # beside one that can
        check_types({"a": {"_target_": f"{here}.Strange", "size": "x"}})
    check_types({"a": {"_target_": f"{here}.Loose", "size": None, "anything": "x", "other": "x"}})
    check_types({"a": {"_target_": "no.such.Thing", "size": "x"}, "b": 3, "c": None})
    with pytest.raises(ValueError, match=r"^a\.b\.0\.size=x must be a whole number$"):
        check_types({"a": {"b": [{"_target_": f"{here}.Loose", "size": "x"}]}})
