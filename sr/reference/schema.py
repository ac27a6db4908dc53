"""JSON schemas of configuration files, with which an editor completes keys, explains them and underlines mistakes.

`classes.json` has the arguments of every class that an option names. The schema of a group refers to it: where a file
names a class under `_target_`, it may set the arguments of this class; where it names none, because it continues
another option, those of all classes of the group. A class that no option names may have any keys.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sr.cli.argument_types import is_object
from sr.reference.arguments import arguments_of, root_meanings, summary_of, takes_anything
from sr.reference.options import GLOBAL, Option

DRAFT = "http://json-schema.org/draft-07/schema#"  # the newest one that YAML editors know
CLASSES = "classes.json"
# ${key} stands for another key, and ??? for a value that the user has to give.
ELSEWHERE = {"type": "string", "pattern": r"\$\{.*\}|^\?\?\?$"}
PLAIN: dict[Any, dict[str, Any]] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    str: {"type": "string"},
    NoneType: {"type": "null"},
}
NODE = {"$ref": f"{CLASSES}#/definitions/node"}
# What Hydra itself reads in a node and in a file.
HYDRA: dict[str, Any] = {
    "defaults": {"type": "array", "description": "the options that this file continues"},
    "_convert_": {"enum": ["none", "partial", "object", "all"]},
    "_partial_": {"type": "boolean", "description": "true: the program gives the first arguments itself"},
    "_recursive_": {"type": "boolean"},
    "_args_": {"type": "array"},
}


def schemas(groups: Mapping[str, Sequence[Option]], roots: Mapping[str, type]) -> dict[str, dict[str, Any]]:
    """File name -> schema: `classes.json`, one for each group, and one for each configuration as a whole.

    Args:
        groups: group -> its options.
        roots: name of a configuration -> the dataclass of its root keys, with a line for each of them in its docstring.
    """
    targets = {target for options in groups.values() for option in options for target in option.targets}
    files = {CLASSES: _classes(sorted(targets))}
    for group, options in groups.items():
        if all(option.text.startswith(GLOBAL) for option in options):
            files[file_of(group)] = {"$ref": f"{_root_of(options, roots)}.json"}
        else:
            files[file_of(group)] = _group(group, options)
    files |= {f"{name}.json": _root(name, root, groups) for name, root in roots.items()}
    return {name: {"$schema": DRAFT, **schema} for name, schema in files.items()}


def file_of(group: str) -> str:
    """The name of the schema of a group."""
    return f"{group.replace('/', '.')}.json"


def schema_of(hint: Any) -> dict[str, Any]:
    """The schema of the values that an annotation allows; of an annotation that names no plain type, everything."""
    origin = get_origin(hint) or hint
    if hint in PLAIN:
        return PLAIN[hint]
    if origin in (Union, UnionType):
        parts = [schema_of(part) for part in get_args(hint)]
        return {} if {} in parts else {"anyOf": parts}
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if not isinstance(origin, type) or origin in (Any, object):
        return {}
    if issubclass(origin, PurePath):
        return PLAIN[str]
    if is_object(hint):
        return NODE
    if issubclass(origin, Mapping):
        values = get_args(hint)[1:]
        return {"type": "object", "additionalProperties": _allowed(schema_of(values[0])) if values else True}
    items = [part for part in get_args(hint) if part is not Ellipsis]
    return {
        "type": "array",
        "items": {"anyOf": [_allowed(schema_of(part)) for part in items]} if items else {},
    }


def _allowed(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, ELSEWHERE]} if schema else {}


def _classes(targets: Sequence[str]) -> dict[str, Any]:
    definitions = {target: _class(target) for target in targets}
    node = {
        "type": "object",
        "properties": {"_target_": _target(targets)},
        "allOf": [{"if": _names(target), "then": {"$ref": f"#/definitions/{target}"}} for target in targets],
    }
    return {"title": "classes", "definitions": {**definitions, "node": node}}


def _class(target: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": summary_of(target),
        "properties": {"_target_": {"const": target}, **HYDRA, **_arguments(target)},
        "additionalProperties": takes_anything(target),
    }


def _arguments(target: str) -> dict[str, Any]:
    found = {}
    for name, argument in arguments_of(target).items():
        found[name] = {**_allowed(schema_of(argument.hint)), "description": argument.meaning}
        if argument.default is None or isinstance(argument.default, bool | int | float | str):
            found[name]["default"] = argument.default
    return found


def _target(known: Iterable[str]) -> dict[str, Any]:
    return {
        "anyOf": [{"enum": sorted(known)}, {"type": "string"}],
        "description": "the import path of a class or a function",
    }


def _names(target: str) -> dict[str, Any]:
    return {"properties": {"_target_": {"const": target}}, "required": ["_target_"]}


def _group(group: str, options: Sequence[Option]) -> dict[str, Any]:
    outer = sorted({option.settings["_target_"] for option in options if "_target_" in option.settings})
    if not outer:  # named nodes, as of losses and callbacks
        return {
            "title": group,
            "type": "object",
            "properties": {"defaults": HYDRA["defaults"]},
            "additionalProperties": {"anyOf": [NODE, {"type": "null"}]},
        }
    continued: dict[str, Any] = {"_target_": _target(outer), **HYDRA}
    for target in outer:
        for name, schema in _arguments(target).items():
            known = continued.get(name)
            continued[name] = schema if known is None or known == schema else _either(known, schema)
    return {
        "title": group,
        "type": "object",
        "properties": {"_target_": _target(outer)},
        "if": {"required": ["_target_"]},
        "then": NODE,
        "else": {"properties": continued, "additionalProperties": any(map(takes_anything, outer))},
    }


def _either(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """The schema of an argument that two classes have."""
    texts = dict.fromkeys(each for schema in (first, second) for each in schema["description"].split(" | "))
    return {"anyOf": [first, second], "description": " | ".join(texts)}


def _root_of(options: Sequence[Option], roots: Mapping[str, type]) -> str:
    """The configuration that options set keys of: the first one that has all of these keys."""
    keys = {key for option in options for key in option.keys} - {"defaults", "hydra"}
    return next(
        (name for name, root in roots.items() if keys <= {entry.name for entry in fields(root)}), min(roots)
    )


def _root(name: str, root: type, groups: Mapping[str, Sequence[Option]]) -> dict[str, Any]:
    meanings = root_meanings(root)
    hints = get_type_hints(root)
    properties: dict[str, Any] = {
        "defaults": HYDRA["defaults"],
        "hydra": {"type": "object", "description": "Hydra's own settings, as hydra.run.dir"},
    }
    for entry in fields(root):
        group = entry.name.removesuffix("_g").removesuffix("_d")
        schema = _allowed(schema_of(hints[entry.name]))
        # A protocol is chosen by a group and written under a key of the same name.
        if group in groups and hints[entry.name] is Any:
            schema = {"anyOf": [{"$ref": file_of(group)}, PLAIN[NoneType], ELSEWHERE]}
        properties[entry.name] = {**schema, "description": meanings.get(entry.name, "")}
    return {
        "title": f"{name}.yaml",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
