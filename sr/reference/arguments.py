"""What a constructor takes: meaning, type, choices and default of every argument, from signature and docstring."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from inspect import Parameter
from typing import Any

import docstring_parser
from hydra.utils import get_object

from sr.cli.argument_types import choices_of, parameters_of

REQUIRED = Parameter.empty


@dataclass(frozen=True)
class Argument:
    """One argument of a constructor.

    Attributes:
        name: its name, which is the key in YAML.
        meaning: the sentence of the docstring; empty where there is none.
        hint: the annotation, `Any` where there is none.
        default: the default of the constructor, or `REQUIRED`.
    """

    name: str
    meaning: str
    hint: Any
    default: Any

    @property
    def values(self) -> str:
        """What it can be, in words."""
        if self.hint is Any:
            return "anything"
        return " or ".join(dict.fromkeys(choices_of(self.hint)))


@cache
def arguments_of(target: str) -> dict[str, Argument]:
    """The arguments of what a `_target_` names, in the order of its signature; empty where it has none.

    Args:
        target: an import path.
    """
    hints, parameters = parameters_of(target)
    meanings = _meanings(get_object(target))
    return {
        name: Argument(
            name=name,
            meaning=meanings.get(name, ""),
            hint=hints.get(name, Any),
            default=parameter.default,
        )
        for name, parameter in parameters.items()
        if parameter.kind not in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
    }


def takes_anything(target: str) -> bool:
    """Whether it has arguments without names (`**kwargs`), so that a key that is not listed may be right."""
    _, parameters = parameters_of(target)
    return any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values())


def summary_of(target: str) -> str:
    """The first sentence of its docstring, or of its constructor's; empty where there is none."""
    named = get_object(target)
    documented = named if vars(named).get("__doc__") else named.__init__
    text = docstring_parser.parse(inspect.getdoc(documented) or "").short_description or ""
    return " ".join(text.split())


def root_meanings(root: type) -> dict[str, str]:
    """Key -> its meaning, of a dataclass of root keys."""
    described = docstring_parser.parse(inspect.getdoc(root) or "").params
    return {each.arg_name: " ".join((each.description or "").split()) for each in described}


def _meanings(named: Any) -> Mapping[str, str]:
    """Argument -> its description, in the docstrings of a class, of its constructor and of what it is derived from."""
    found: dict[str, str] = {}
    for each in reversed(inspect.getmro(named)) if isinstance(named, type) else [named]:
        for documented in (each, vars(each).get("__init__") if isinstance(each, type) else None):
            docstring = getattr(documented, "__doc__", None)
            if each is object or not docstring:
                continue
            for described in docstring_parser.parse(inspect.cleandoc(docstring)).params:
                text = " ".join((described.description or "").split())
                found |= {name.strip(): text for name in described.arg_name.split(",")}
    return found
