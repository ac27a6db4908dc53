"""Which net some weights belong to, and with which arguments, read off names and shapes alone."""

from collections.abc import Callable
from typing import Any

from sr.weights.architectures import dat, edsr, hat, omnisr, plksr, rcan, rrdbnet, span, srvgg, swinir
from sr.weights.dialects import Weights

# Each gives `_target_` and arguments of its net, None for the weights of another net, or a ValueError where the names
# are those of its net but no such net has these shapes. What is not here is read from the description in its file.
ARCHITECTURES: dict[str, Callable[[Weights], dict[str, Any] | None]] = {
    "RRDBNet": rrdbnet.describe,
    "SRVGGNetCompact": srvgg.describe,
    "EDSR": edsr.describe,
    "RCAN": rcan.describe,
    "SPAN": span.describe,
    "PLKSR and RealPLKSR": plksr.describe,
    "SwinIR": swinir.describe,
    "HAT": hat.describe,
    "DAT": dat.describe,
    "OmniSR": omnisr.describe,
}


def describe(weights: Weights) -> dict[str, Any] | None:
    """`_target_` and constructor arguments of the generator that has these weights, under our names, or None.

    Raises:
        ValueError: the names are those of a known net, but no such net has these shapes.
    """
    descriptions = (architecture(weights) for architecture in ARCHITECTURES.values())
    return next((found for found in descriptions if found is not None), None)
