"""EDSR, read off its tensors."""

from typing import Any

from sr.weights.architectures.counting import count
from sr.weights.architectures.shapes import shuffle_scale
from sr.weights.dialects import Weights

_NAMES = {"head.0.weight", "body.0.body.0.weight", "body.0.body.2.weight", "tail.1.weight", "sub_mean.bias"}
_WIDE = 256  # features of the large net, whose branches are weakened


def describe(weights: Weights) -> dict[str, Any] | None:
    """`_target_` and arguments of the EDSR that has these tensors, or None.

    Tensors do not show the scaling of residuals nor the range of the image: 0.1 from 256 features on, 1 below, and 255
    are assumed, as published.

    Raises:
        ValueError: the names are those of an EDSR, but no EDSR has these shapes.
    """
    if not set(weights) >= _NAMES:
        return None
    features, inputs = weights["head.0.weight"].shape[:2]
    return {
        "_target_": "sr.archs.edsr.EDSR",
        "scale": shuffle_scale(weights, "tail.0."),
        "in_channels": inputs,
        "out_channels": weights["tail.1.weight"].shape[0],
        "num_feat": features,
        # After the blocks comes one convolution.
        "num_block": count(weights, r"body\.(\d+)\.") - 1,
        "res_scale": 0.1 if features >= _WIDE else 1.0,
        "img_range": 255.0,
    }
