"""Values that a constructor does not take, found by its annotations before it is called."""

import sys
from collections.abc import Iterable, Mapping
from inspect import Parameter, signature
from pathlib import PurePath
from shlex import quote
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hydra.utils import get_object

from sr.cli.command_line import quoted

WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", NoneType: "null"}
COPIES = ("model", "data")  # hold the nodes of other groups too, and a user types the keys of those


def check_types(config: Mapping[str, Any]) -> None:
    """Compare the arguments of every node that has a `_target_` with the annotations there.

    An annotation that names no plain type (number, text, true or false, null, list, dict) accepts everything. Names of
    arguments that do not exist are found too.

    Args:
        config: groups as plain dicts and lists, interpolations resolved.

    Raises:
        ValueError: names the key, the value and what it can be; or the arguments that do not exist.
    """
    for key in sorted(config, key=lambda key: key in COPIES):
        _check(config[key], str(key))


def accepts(hint: Any, value: Any) -> bool:
    """Whether a plain value can be what the annotation asks for."""
    origin = get_origin(hint) or hint
    if origin in (Union, UnionType):
        return any(accepts(part, value) for part in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in WORDS:
        return isinstance(value, hint)
    if not isinstance(origin, type) or origin in (Any, object) or _is_standard_protocol(origin):
        return True
    if issubclass(origin, PurePath):
        return isinstance(value, str)
    # A node with a _target_ is a dict here, and can become anything.
    return isinstance(value, dict) or (isinstance(value, list) and issubclass(origin, Iterable))


def _is_standard_protocol(origin: type) -> bool:
    """Whether it is a protocol of the standard library, such as SupportsFloat, which plain values may fulfil."""
    return getattr(origin, "_is_protocol", False) and origin.__module__ in ("typing", "collections.abc")


def parameters_of(target: str) -> tuple[dict[str, Any], Mapping[str, Parameter]]:
    """Annotations and parameters of a `_target_`; empty where they cannot be read: building it says what is wrong."""
    try:
        found = get_object(target)
        parameters = signature(found).parameters
    except Exception:  # whatever the import of a module raises
        return {}, {}
    called = found.__init__ if isinstance(found, type) else found  # type: ignore[misc]
    names = vars(sys.modules[found.__module__]) | getattr(called, "__globals__", {})
    written = {name: each.annotation for name, each in parameters.items()}
    hints = [(name, _evaluated(hint, names)) for name, hint in written.items() if hint is not Parameter.empty]
    return {name: hint for name, hint in hints if hint is not Any}, parameters


def _evaluated(hint: Any, names: dict[str, Any]) -> Any:
    """An annotation, which may be a text; `Any` where it names what only type checkers import."""
    try:
        return get_type_hints(type("", (), {"__annotations__": {"it": hint}}), globalns=names)["it"]
    except Exception:  # whatever the evaluation raises
        return Any


def _check(node: Any, path: str) -> None:
    if isinstance(node, list):
        for number, inner in enumerate(node):
            _check(inner, f"{path}.{number}")
    elif isinstance(node, Mapping):
        for key, inner in node.items():
            _check(inner, f"{path}.{key}")
        if isinstance(node.get("_target_"), str):
            _check_arguments(node, path)


def _check_arguments(node: Mapping[str, Any], path: str) -> None:
    hints, parameters = parameters_of(node["_target_"])
    _check_names(node, parameters, path)
    for key, value in node.items():
        if key not in hints or key not in parameters:
            continue
        # `size: int = None` is common, and means what it does not say.
        if not accepts(hints[key], value) and value is not parameters[key].default:
            raise ValueError(_message(f"{path}.{key}", value, hints[key]))


def _check_names(node: Mapping[str, Any], parameters: Mapping[str, Parameter], path: str) -> None:
    """Raises ValueError for arguments that a constructor does not have, as an exchanged option leaves them behind."""
    if not parameters or any(each.kind is Parameter.VAR_KEYWORD for each in parameters.values()):
        return
    unknown = [key for key in node if key[0] != "_" and key not in parameters]
    if unknown:
        kind, known = (
            str(node["_target_"]).rpartition(".")[2],
            list(parameters),
        )
        raise ValueError(
            f"{', '.join(f'{path}.{key}' for key in unknown)}: {kind} has no such argument; it has"
            f" {', '.join(known) or 'none'}. Where an experiment sets it,"
            f" {' '.join(quote(f'~{path}.{key}') for key in unknown)} leaves it out"
        )


def _message(key: str, value: Any, hint: Any) -> str:
    shown = str(value).lower() if isinstance(value, bool) else "null" if value is None else value
    text = f"{key}={shown} must be {' or '.join(dict.fromkeys(choices_of(hint)))}"
    if isinstance(value, float) and value.is_integer() and accepts(hint, int(value)):
        return f"{text}: write {key}={int(value)}"
    if accepts(hint, "") and isinstance(value, int | float):
        return f"{text}: write {quoted(f'{key}={shown}')}"
    return text


def choices_of(hint: Any) -> list[str]:
    """The values that an annotation allows, in words; objects only where a user can write nothing else."""
    origin = get_origin(hint) or hint
    if origin in (Union, UnionType):
        parts = [part for part in get_args(hint) if part is NoneType or not is_object(part)]
        if set(parts) <= {NoneType}:
            parts = list(get_args(hint))
        return [words for part in parts for words in choices_of(part)]
    if origin is Literal:
        return [str(each) for each in get_args(hint)]
    if hint in WORDS:
        return [WORDS[hint]]
    if is_object(hint):
        return [f"a {getattr(origin, '__name__', origin)}, which is a dict with its class under _target_"]
    return ["a dict" if issubclass(origin, Mapping) else "a list"]


def is_object(hint: Any) -> bool:
    """Whether an annotation is a class of its own, and no value or container of values."""
    origin = get_origin(hint) or hint
    values = origin in (list, tuple, set, dict) or getattr(origin, "__module__", "") == "collections.abc"
    return hint not in WORDS and isinstance(origin, type) and not (values and issubclass(origin, Iterable))
