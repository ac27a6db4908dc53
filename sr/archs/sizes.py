"""The checks that the constructors of all nets here make of their sizes."""

from collections.abc import Collection
from typing import get_args


def check_sizes(**sizes: int) -> None:
    """Refuse sizes below 1, for which torch gives a strange error or builds another net.

    Args:
        sizes: numbers of features, blocks or layers by the names of their arguments.

    Raises:
        ValueError: names the first one that is below 1.
    """
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name}={size} must be 1 or more")


def check_scale(scale: int, choices: Collection[int]) -> None:
    """Refuse a scale that a net cannot have.

    Args:
        scale: the upscaling factor.
        choices: the factors that the net can have.

    Raises:
        ValueError: names the choices.
    """
    if scale not in choices:
        raise ValueError(f"scale={scale} must be one of {', '.join(map(str, choices))}")


def check_choice(name: str, value: str, choices: object) -> None:
    """Refuse a string that is none of the strings of the Literal `choices`.

    Raises:
        ValueError: names the choices.
    """
    if value not in get_args(choices):
        raise ValueError(f"{name}={value!r} must be one of {', '.join(map(repr, get_args(choices)))}")
