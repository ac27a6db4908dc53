"""Parameter groups by rule: which parameters of a net have settings of their own in its optimizer.

A rule is written as `{kinds: [...], names: [...], setting: value, ...}`, under a name of its own: `kinds` are those of
`sr.training.parameter_kinds`, `names` are patterns of parameter names (`body.*`, `*.attn.*`), and every other key is a
setting of the optimizer. A rule with both wants both. All rules that a parameter meets count, the later ones over the
earlier, and `lr_factor` is the learning rate as a multiple of that of the optimizer.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from sr.training.parameter_kinds import KINDS, Kind, kind_of_shape, kinds_of

# What an optimizer is given: `NetParameters` in training, elsewhere any iterable.
Parameters = Iterable[nn.Parameter]
Rules = Mapping[str, Mapping[str, Any]]
FACTOR = "lr_factor"


class NetParameters:
    """The parameters of a net, as `net.parameters()` gives them, for optimizers that want to see the net too.

    Args:
        net: the net.
    """

    def __init__(self, net: nn.Module) -> None:
        self.net = net

    def __iter__(self) -> Iterator[nn.Parameter]:
        return self.net.parameters()


@dataclass(frozen=True)
class Named:
    """A parameter, its name ("" if unknown), and its kind."""

    name: str
    kind: Kind
    parameter: nn.Parameter


def by_rule(
    params: Parameters,
    *,
    optimizer: Callable[..., Optimizer],
    lr: float,
    weight_decay: float | None = None,
    rules: Rules,
) -> Optimizer:
    """Any optimizer that takes groups, with groups by rule.

    Args:
        params: the parameters.
        optimizer: groups, lr -> optimizer.
        lr: the learning rate where no rule says otherwise.
        weight_decay: the weight decay where no rule says otherwise; None leaves it to the optimizer.
        rules: the rules by name (`sr.training.parameter_groups`).

    Raises:
        ValueError: a rule that cannot be followed.
    """
    base: dict[str, Any] = {"lr": lr}
    if weight_decay is not None:
        base["weight_decay"] = weight_decay
    bare = optimizer([nn.Parameter(torch.zeros(1, 1))], lr=lr)
    # torch keeps settings in a group that no optimizer reads.
    if unknown := base.keys() - bare.defaults.keys():
        raise ValueError(f"{', '.join(sorted(unknown))}: {type(bare).__name__} has no such setting")
    return optimizer(grouped(params, rules, **bare.defaults | base), lr=lr)


def grouped(params: Parameters, rules: Rules | None, **base: Any) -> list[dict[str, Any]]:
    """The groups of the parameters, each with all settings; the one of the first parameter is the first.

    Of parameters without a net, names are unknown and kinds are told by the shapes.

    Args:
        params: the parameters.
        rules: the rules by name; None for none.
        base: the settings where no rule says otherwise; a rule can set nothing else.

    Raises:
        ValueError: a rule with an unknown key or kind, or with a pattern that no name of the net has.
    """
    named = _named(params)
    rules = rules or {}
    for name, rule in rules.items():
        _check(name, rule, named, base)
    groups: list[dict[str, Any]] = []
    for each in named:
        settings = dict(base)
        for rule in rules.values():
            if _meets(each, rule):
                settings |= _settings(rule, base)
        for group in groups:
            if {key: value for key, value in group.items() if key != "params"} == settings:
                group["params"].append(each.parameter)
                break
        else:
            groups.append({"params": [each.parameter], **settings})
    return groups


def _named(params: Parameters) -> list[Named]:
    if isinstance(params, NetParameters):
        kinds = kinds_of(params.net)
        return [Named(name, kinds[name], parameter) for name, parameter in params.net.named_parameters()]
    return [Named("", kind_of_shape(parameter), parameter) for parameter in params]


def _meets(each: Named, rule: Mapping[str, Any]) -> bool:
    of_kind = "kinds" not in rule or each.kind in rule["kinds"]
    return of_kind and ("names" not in rule or any(fnmatchcase(each.name, name) for name in rule["names"]))


def _settings(rule: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in rule.items() if key not in ("kinds", "names", FACTOR)}
    return found | {"lr": base["lr"] * rule[FACTOR]} if FACTOR in rule else found


def _check(name: str, rule: Mapping[str, Any], named: list[Named], base: Mapping[str, Any]) -> None:
    """Raises ValueError for a rule that says nothing, or what cannot be."""
    key = f"rules.{name}"
    if not isinstance(rule, Mapping):
        raise ValueError(f"{key}={rule}: write {{kinds: [...], names: [...], SETTING: VALUE}}")
    settings = [*base, *[FACTOR] * ("lr" in base)]
    if unknown := [each for each in rule if each not in ("kinds", "names", *settings)]:
        raise ValueError(f"{key}.{unknown[0]}: choose from kinds, names, {', '.join(settings)}")
    if not {"kinds", "names"} & rule.keys():
        raise ValueError(f"{key} chooses no parameters: give it kinds ({', '.join(KINDS)}) or names")
    if {"lr", FACTOR} <= rule.keys():
        raise ValueError(f"{key} has both lr and {FACTOR}: leave one out")
    for listed in ("kinds", "names"):
        if isinstance(rule.get(listed, []), str):
            raise ValueError(f"{key}.{listed}={rule[listed]} must be a list: write [{rule[listed]}]")
    for kind in rule.get("kinds", []):
        if kind not in KINDS:
            raise ValueError(f"{key}.kinds={kind}: choose from {', '.join(KINDS)}")
    if any(each.name for each in named):
        _check_names(f"{key}.names", rule.get("names", []), [each.name for each in named])


def _check_names(key: str, patterns: Iterable[str], names: list[str]) -> None:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            tops = ", ".join(dict.fromkeys(f"{name.partition('.')[0]}.*" for name in names))
            raise ValueError(f"{key}={pattern}: no parameter of the net has such a name; it has {tops}")
