"""Arguments of an evaluation whose form a user can get wrong."""

from collections.abc import Mapping
from typing import Any


def named_paths(value: Any, *, key: str, kind: str) -> dict[str, str]:
    """Name -> path, as in `hr_dirs={set5: DIR, set14: DIR}`; empty for None.

    Args:
        value: the value of the argument.
        key: the name of the argument, for the message.
        kind: the word for what a path leads to, for the message.

    Raises:
        ValueError: the value is not a mapping, or is an empty one.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"{key}={value}: write {key}={{name: {kind}, ...}}")
    return {str(name): str(path) for name, path in value.items()}


def as_list(value: Any, *, key: str, example: str) -> list[Any] | None:
    """Check that a value is a list or None, and return it.

    Args:
        value: the value of the argument.
        key: the name of the argument, for the message.
        example: a possible content of the brackets, for the message.

    Raises:
        ValueError: the value is neither a list nor None.
    """
    if value is not None and not isinstance(value, list):
        raise ValueError(f"{key}={value} is no list: write '{key}=[{example}]'")
    return value
