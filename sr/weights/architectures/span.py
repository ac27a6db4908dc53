"""SPAN, read off its tensors."""

from typing import Any

from sr.weights.architectures.counting import count
from sr.weights.dialects import Weights

_NAMES = {
    "conv_1.sk.weight",
    "block_1.c1_r.sk.weight",
    "conv_cat.weight",
    "conv_2.sk.weight",
    "upsampler.0.weight",
}


def describe(weights: Weights) -> dict[str, Any] | None:
    """`_target_` and arguments of the SPAN that has these tensors, or None.

    Tensors do not show the range of the normalised input, for which the published 255 is assumed, nor the scale and the
    output channels apart: as many of these as at the input are assumed, or else three.

    Raises:
        ValueError: the names are those of a SPAN, but no SPAN has these shapes.
    """
    if not set(weights) >= _NAMES:
        return None
    features, inputs = weights["conv_1.sk.weight"].shape[:2]
    last = weights["upsampler.0.weight"].shape[0]
    found = [(out, round((last / out) ** 0.5)) for out in (inputs, 3) if out]
    outputs, scale = next(((out, scale) for out, scale in found if out * scale**2 == last > 0), (0, 0))
    if not outputs:
        raise ValueError(
            f"a SPAN with {inputs} input channels whose last convolution has {last} outputs: they must be a square"
            " number times the input channels, or times three"
        )
    return {
        "_target_": "sr.archs.span.SPAN",
        "scale": scale,
        "in_channels": inputs,
        "out_channels": outputs,
        "num_feat": features,
        "num_block": count(weights, r"block_(\d+)\.") - 1,
        "norm": "no_norm" not in weights,
        "img_range": 255.0,
    }
