"""HAT, read off its tensors."""

from math import ceil
from typing import Any

from sr.weights.architectures.counting import count
from sr.weights.architectures.shapes import ratio, root, shuffle_scale, tensor
from sr.weights.dialects import Weights

_GROUP = "layers.0.residual_group."
_ATTENTION = f"{_GROUP}blocks.0.conv_block.cab."


def describe(weights: Weights) -> dict[str, Any] | None:
    """`_target_` and arguments of the HAT that has these tensors, or None.

    Tensors do not show the weight of channel attention and the range of values inside: the published 0.01 and 1 are
    assumed.

    Raises:
        ValueError: the names are those of a HAT, but no HAT has these shapes.
    """
    own, wide = "relative_position_index_SA", "relative_position_index_OCA"
    if not {"conv_first.weight", own, wide, f"{_ATTENTION}0.weight"} <= set(weights):
        return None
    embed_dim, inputs = tensor(weights, "conv_first.weight", dims=4).shape[:2]
    outputs, num_feat = tensor(weights, "conv_last.weight", dims=4).shape[:2]
    window_size = root(tensor(weights, own, dims=2).shape[0], name=own)
    groups = range(count(weights, r"layers\.(\d+)\."))
    tables = (f"layers.{group}.residual_group.overlap_attn.relative_position_bias_table" for group in groups)
    return {
        "_target_": "sr.archs.hat.HAT",
        "scale": shuffle_scale(weights, "upsample."),
        "in_channels": inputs,
        "out_channels": outputs,
        "embed_dim": embed_dim,
        "depths": [count(weights, rf"layers\.{group}\.residual_group\.blocks\.(\d+)\.") for group in groups],
        "num_heads": [tensor(weights, table, dims=2).shape[1] for table in tables],
        "window_size": window_size,
        "compress_ratio": _divisor(weights, f"{_ATTENTION}0.weight", embed_dim),
        "squeeze_factor": _divisor(weights, f"{_ATTENTION}3.attention.1.weight", embed_dim),
        "conv_scale": 0.01,
        "overlap_ratio": ratio(
            root(tensor(weights, wide, dims=2).shape[1], name=wide) - window_size, window_size
        ),
        "mlp_ratio": ratio(tensor(weights, f"{_GROUP}blocks.0.mlp.fc1.weight", dims=2).shape[0], embed_dim),
        "num_feat": num_feat,
        "resi_connection": "1conv" if "conv_after_body.weight" in weights else "identity",
        "img_range": 1.0,
    }


def _divisor(weights: Weights, name: str, channels: int) -> int:
    """What the channels are divided by inside the block of this convolution; where several fit, they build one net."""
    inside = tensor(weights, name, dims=4).shape[0]
    # The smallest of them, but 30 and not 26 for the published 6 of 180.
    found = channels // inside if channels % inside == 0 else ceil((channels + 1) / (inside + 1))
    if found < 1 or channels // found != inside:
        raise ValueError(f"{name} has {inside} channels, which no division of {channels} gives")
    return found
