"""OmniSR, read off its tensors."""

from math import isqrt
from typing import Any

from sr.weights.architectures.counting import count
from sr.weights.architectures.shapes import direct_scale
from sr.weights.dialects import Weights

_FIRST = "residual_layer.0.residual_layer.0.layer."
_PUBLISHED_WINDOW = 8


def describe(weights: Weights) -> dict[str, Any] | None:
    """`_target_` and arguments of the OmniSR that has these tensors, or None.

    As many channels as at the input are assumed at the output. Without position biases tensors do not show the size of
    the windows, for which the published one is assumed.

    Raises:
        ValueError: the names are those of an OmniSR, but no OmniSR has these shapes.
    """
    if not {"input.weight", "up.0.weight", f"{_FIRST}0.fn.0.weight"} <= set(weights):
        return None
    first = weights["input.weight"]
    inputs = first.shape[1]
    biases = weights.get(f"{_FIRST}2.fn.rel_pos_bias.weight")
    window_size = _PUBLISHED_WINDOW if biases is None else (isqrt(biases.shape[0]) + 1) // 2
    if biases is not None and (2 * window_size - 1) ** 2 != biases.shape[0]:
        raise ValueError(
            f"an OmniSR whose windows have {biases.shape[0]} offsets, which is no odd number squared"
        )
    return {
        "_target_": "sr.archs.omnisr.OmniSR",
        "scale": direct_scale(weights, "up.0.weight", channels=inputs),
        "in_channels": inputs,
        "out_channels": inputs,
        "num_feat": first.shape[0],
        "num_group": count(weights, r"residual_layer\.(\d+)\."),
        # After the blocks of a group comes one convolution.
        "num_block": count(weights, r"residual_layer\.0\.residual_layer\.(\d+)\.") - 1,
        "window_size": window_size,
        "pe": biases is not None,
        "bias": "input.bias" in weights,
    }
