"""RRDBNet, read off its tensors."""

import re
from typing import Any

from sr.weights.architectures.counting import count
from sr.weights.dialects import Weights


def describe(weights: Weights) -> dict[str, Any] | None:
    """`_target_` and arguments of the RRDBNet that has these tensors, or None.

    Tensors do not show whether a net of the 2018 layout with a single enlargement enlarges by 2 or by 3: 2 is assumed.

    Raises:
        ValueError: the names are those of an RRDBNet, but no RRDBNet has these shapes.
    """
    if not {"conv_first.weight", "body.0.rdb1.conv1.weight", "conv_last.weight"} <= set(weights):
        return None
    first, last = weights["conv_first.weight"], weights["conv_last.weight"]
    inputs, outputs = first.shape[1], last.shape[0]
    enlargements = sum(re.fullmatch(r"conv_up\d+\.weight", key) is not None for key in weights)
    unshuffle = {1: 1, 4: 2, 16: 4}.get(inputs // outputs if inputs % outputs == 0 else 0)
    if unshuffle is None or 2**enlargements % unshuffle:
        raise ValueError(
            f"an RRDBNet with {inputs} input channels, {outputs} output channels and {enlargements} enlargements: known"
            " are equal channels, and 4 or 16 times as many at the input (pixel unshuffle)"
        )
    return {
        "_target_": "sr.archs.rrdbnet.RRDBNet",
        "scale": 2**enlargements // unshuffle,
        "in_channels": outputs,
        "out_channels": outputs,
        "num_feat": first.shape[0],
        "num_block": count(weights, r"body\.(\d+)\."),
        "num_grow_ch": weights["body.0.rdb1.conv1.weight"].shape[0],
        "unshuffle": unshuffle > 1 or enlargements > 1,
        "plus": "body.0.rdb1.conv1x1.weight" in weights,
    }
