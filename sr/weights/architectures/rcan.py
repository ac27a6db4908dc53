"""RCAN, read off its tensors."""

from math import isqrt
from typing import Any

from sr.weights.architectures.counting import count
from sr.weights.architectures.shapes import shuffle_scale
from sr.weights.dialects import Weights

_ATTENTION = "body.0.body.0.body.3.conv_du.0.weight"


def describe(weights: Weights) -> dict[str, Any] | None:
    """`_target_` and arguments of the RCAN that has these tensors, or None.

    Tensors do not show the range of the image, for which the published 255 is assumed.

    Raises:
        ValueError: the names are those of an RCAN, but no RCAN has these shapes.
    """
    if not {"tail.1.weight", _ATTENTION} <= set(weights):
        return None
    unshuffled = "head.1.weight" in weights
    first = weights.get("head.1.weight" if unshuffled else "head.0.weight")
    outputs, scale = weights["tail.1.weight"].shape[0], shuffle_scale(weights, "tail.0.")
    if first is None:
        raise ValueError("an RCAN without a first convolution")
    factor = isqrt(first.shape[1] // outputs) if unshuffled else 1
    if unshuffled and (factor not in (2, 4) or scale != 4 or factor**2 * outputs != first.shape[1]):
        raise ValueError(
            f"an RCAN with {first.shape[1]} unshuffled input channels, {outputs} output channels and an enlargement by"
            f" {scale}: known are 4 and 16 times as many at the input, and an enlargement by 4"
        )
    features, squeezed = first.shape[0], weights[_ATTENTION].shape[0]
    return {
        "_target_": "sr.archs.rcan.RCAN",
        "scale": scale // factor,
        "in_channels": first.shape[1] // factor**2,
        "out_channels": outputs,
        "num_feat": features,
        # After the blocks of a group, and after the groups, comes one convolution.
        "num_group": count(weights, r"body\.(\d+)\.") - 1,
        "num_block": count(weights, r"body\.0\.body\.(\d+)\.") - 1,
        "reduction": features // squeezed,
        "norm": "sub_mean.bias" in weights,
        "img_range": 255.0,
        "unshuffle": unshuffled,
    }
