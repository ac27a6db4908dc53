"""Which net some weights belong to, and with which arguments, read off names and shapes alone."""

from collections.abc import Callable
from typing import Any

from sr.weights.architectures import edsr, plksr, rcan, rrdbnet, span, srvgg
from sr.weights.dialects import Weights

# Each gives `_target_` and arguments of its net, None for the weights of another net, or a ValueError where the names
# are those of its net but no such net has these shapes. What is not here is read from the description in its file.
ARCHITECTURES: tuple[Callable[[Weights], dict[str, Any] | None], ...] = (
    rrdbnet.describe,
    srvgg.describe,
    span.describe,
    plksr.describe,
    edsr.describe,
    rcan.describe,
)


def describe(weights: Weights) -> dict[str, Any] | None:
    """`_target_` and constructor arguments of the generator that has these weights, under our names, or None.

    Raises:
        ValueError: the names are those of a known net, but no such net has these shapes.
    """
    descriptions = (architecture(weights) for architecture in ARCHITECTURES)
    return next((found for found in descriptions if found is not None), None)
