"""Which parameters a rule means, and what it gives them."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
import torch
from helpers import compose_config
from hydra.utils import instantiate
from optimizer_options import option
from small_training import Pairs, fit, make, weights
from torch import nn

from sr.training.parameter_groups import NetParameters, by_rule, grouped
from sr.training.parameter_kinds import kind_of_shape, kinds_of
from sr.training.psnr import PSNRModule

RULES = {
    "no_decay": {"kinds": ["bias", "norm", "vector"], "weight_decay": 0.0},
    "tail": {"names": ["tail.*"], "lr_factor": 0.5},
}


def net() -> nn.Module:
    parts = {
        "head": nn.Conv2d(3, 4, 3),
        "norm": nn.LayerNorm(4),
        "body": nn.Conv2d(4, 8, 1),
        "slow": nn.Conv2d(8, 8, 3, groups=8),
        "act": nn.PReLU(8),
        "tail": nn.Conv2d(8, 3, 3),
    }
    return nn.ModuleDict(parts)


def named_groups(made: nn.Module, rules: Any, **base: Any) -> dict[str, dict[str, Any]]:
    """Name of a parameter -> the settings of its group."""
    names = {id(parameter): name for name, parameter in made.named_parameters()}
    groups = grouped(NetParameters(made), rules, **base)
    found = {names[id(each)]: group for group in groups for each in group["params"]}
    assert found.keys() == set(names.values())
    assert len(found) == sum(len(group["params"]) for group in groups)
    return found


def test_kinds_of_a_small_net() -> None:
    assert kinds_of(net()) == {
        "head.weight": "end",
        "head.bias": "bias",
        "norm.weight": "norm",
        "norm.bias": "norm",
        "body.weight": "hidden",
        "body.bias": "bias",
        "slow.weight": "depthwise",
        "slow.bias": "bias",
        "act.weight": "vector",
        "tail.weight": "end",
        "tail.bias": "bias",
    }


@pytest.mark.parametrize(
    ("choice", "ends", "others"),
    [
        ("generator=srvgg_tiny", ["body.0.weight", "body.18.weight"], {"bias": 10, "vector": 9, "hidden": 8}),
        (
            "generator=swinir_light",
            ["conv_first.weight", "upsample.0.weight"],
            {"bias": 103, "norm": 100, "table": 24, "hidden": 101},
        ),
        (
            "discriminator=unet_tiny",  # with spectral norm
            ["conv0.weight", "conv9.weight"],
            {"bias": 2, "hidden": 8},
        ),
        (
            "discriminator=patch_multiscale",
            [f"discriminators.{number}.body.{layer}.weight" for number in range(3) for layer in (0, 11)],
            {"bias": 6, "norm": 18, "hidden": 9},
        ),
    ],
)
def test_kinds_of_shipped_nets(choice: str, ends: list[str], others: dict[str, int]) -> None:
    group = choice.partition("=")[0]
    smaller = ["discriminator.num_feat=4"] if choice.endswith("multiscale") else []
    kinds = kinds_of(instantiate(compose_config(choice, *smaller)[group]))
    assert [name for name, kind in kinds.items() if kind == "end"] == ends
    assert Counter(kinds.values()) == {"end": len(ends), **others}


def test_of_a_shape_alone() -> None:
    shapes = {(3,): "vector", (1, 5, 1): "vector", (3, 4): "hidden", (4, 1, 3, 3): "depthwise", (): "vector"}
    assert {shape: kind_of_shape(torch.zeros(shape)) for shape in shapes} == shapes


def test_every_rule_that_a_parameter_meets_counts() -> None:
    groups = named_groups(net(), RULES, lr=0.2, weight_decay=0.1)
    settings = {name: (group["lr"], group["weight_decay"]) for name, group in groups.items()}
    assert settings["head.weight"] == settings["body.weight"] == settings["slow.weight"] == (0.2, 0.1)
    assert settings["head.bias"] == settings["norm.weight"] == settings["act.weight"] == (0.2, 0.0)
    assert settings["tail.weight"] == (0.1, 0.1)
    assert settings["tail.bias"] == (0.1, 0.0)
    assert len({id(group) for group in groups.values()}) == 4


def test_a_later_rule_wins_and_kinds_and_names_are_both_wanted() -> None:
    rules = {"all": {"names": ["*"], "lr": 1.0}, "one": {"kinds": ["bias"], "names": ["body.*"], "lr": 3.0}}
    groups = named_groups(net(), rules, lr=0.2)
    assert [name for name, group in groups.items() if group["lr"] == 3.0] == ["body.bias"]
    assert groups["body.weight"]["lr"] == 1.0


def test_without_rules_there_is_one_group_in_the_order_of_the_net() -> None:
    made = net()
    for rules in ({}, None):
        (group,) = grouped(NetParameters(made), rules, lr=0.2)
        assert [id(each) for each in group["params"]] == [id(each) for each in made.parameters()]
    assert [id(each) for each in NetParameters(made)] == [id(each) for each in made.parameters()]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            {"x": {"kinds": ["bias"], "wait_decay": 0}},
            r"rules\.x\.wait_decay: choose from kinds, names, lr, lr_factor",
        ),
        (
            {"x": {"kinds": ["biases"]}},
            r"rules\.x\.kinds=biases: choose from hidden, end, depthwise, bias, norm",
        ),
        ({"x": {"kinds": "bias"}}, r"rules\.x\.kinds=bias must be a list: write \[bias\]"),
        ({"x": {"names": "tail.*"}}, r"rules\.x\.names=tail\.\* must be a list"),
        ({"x": {"lr": 0.1}}, r"rules\.x chooses no parameters: give it kinds \(hidden, .*\) or names"),
        (
            {"x": {"names": ["tale.*"]}},
            r"rules\.x\.names=tale\.\*: no parameter of the net has such a name; it has head",
        ),
        (
            {"x": {"names": ["*"], "lr": 1, "lr_factor": 2}},
            r"rules\.x has both lr and lr_factor: leave one out",
        ),
        ({"x": 3}, r"rules\.x=3: write \{kinds: "),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(rules: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grouped(NetParameters(net()), rules, lr=0.2)


def test_any_optimizer_takes_rules() -> None:
    made = net()
    optimizer = by_rule(
        NetParameters(made),
        optimizer=partial(torch.optim.SGD, momentum=0.9),
        lr=0.2,
        weight_decay=0.1,
        rules=RULES,
    )
    assert len(optimizer.param_groups) == 4
    assert {group["momentum"] for group in optimizer.param_groups} == {0.9}
    with pytest.raises(ValueError, match="weight_decay: Rprop has no such setting"):
        by_rule(NetParameters(made), optimizer=torch.optim.Rprop, lr=0.2, weight_decay=0.1, rules=RULES)
    with pytest.raises(ValueError, match=r"rules\.x\.wait: choose from kinds, names, lr, momentum"):
        by_rule(
            NetParameters(made), optimizer=torch.optim.SGD, lr=0.2, rules={"x": {"names": ["*"], "wait": 1}}
        )


def test_rules_that_change_nothing_change_no_bit(tmp_path: Any) -> None:
    """The groups of the option, at equal settings, train as one group does."""
    same = option("adamw_groups", rules={"tail": {"names": ["conv_last.*"], "lr_factor": 1.0}})
    plain = partial(torch.optim.AdamW, lr=2e-4, betas=(0.9, 0.99), fused=True, weight_decay=0.01)
    modules = [make(PSNRModule, optimizer_g=each) for each in (same, plain)]
    for module in modules:
        fit(module, tmp_path, steps=2, data=Pairs(8))
    assert torch.equal(*(weights(module.generator) for module in modules))


def test_a_part_with_a_rate_of_its_own(tmp_path: Any) -> None:
    """A rate of 0 leaves the part where it was."""
    frozen = option("adamw_groups", rules={"tail": {"names": ["conv_last.*"], "lr_factor": 0.0}})
    module = make(PSNRModule, optimizer_g=frozen)
    start = {name: value.clone() for name, value in module.generator.state_dict().items()}
    fit(module, tmp_path, steps=1)
    moved = {
        name.partition(".")[0]
        for name, value in module.generator.state_dict().items()
        if not torch.equal(value, start[name])
    }
    assert "conv_last" not in moved
    assert "conv_first" in moved
