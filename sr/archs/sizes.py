"""The checks that the constructors of all nets here make of their sizes."""

from collections.abc import Collection, Sequence
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


def check_positive(**factors: float) -> None:
    """Refuse factors that are not above 0.

    Raises:
        ValueError: names the first one.
    """
    for name, factor in factors.items():
        if factor <= 0:
            raise ValueError(f"{name}={factor} must be more than 0")


def check_same_channels(in_channels: int, out_channels: int) -> None:
    """Refuse nets that add their input to their output and have other channels there.

    Raises:
        ValueError: names both.
    """
    if out_channels != in_channels:
        raise ValueError(
            f"out_channels={out_channels} must equal in_channels={in_channels} to be added to the input"
        )


def check_heads(*, embed_dim: int, depths: Sequence[int], num_heads: Sequence[int]) -> None:
    """Refuse groups of transformer blocks that cannot be.

    Raises:
        ValueError: a size is below 1, there are not as many `num_heads` as `depths`, or `embed_dim` cannot be shared
            among the heads.
    """
    check_sizes(embed_dim=embed_dim, depths=min(depths, default=0), num_heads=min(num_heads, default=0))
    if len(depths) != len(num_heads):
        raise ValueError(f"depths={[*depths]} and num_heads={[*num_heads]} must have the same length")
    for heads in num_heads:
        if embed_dim % heads:
            raise ValueError(f"embed_dim={embed_dim} must be a multiple of num_heads={heads}")
