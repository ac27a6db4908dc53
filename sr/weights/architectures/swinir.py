"""SwinIR, read off its tensors."""

import re
from typing import Any

from sr.weights.architectures.counting import count
from sr.weights.architectures.shapes import direct_scale, ratio, root, shuffle_scale, tensor
from sr.weights.dialects import Weights

_BLOCK = "layers.0.residual_group.blocks.0."


def describe(weights: Weights) -> dict[str, Any] | None:
    """`_target_` and arguments of the SwinIR that has these tensors, or None.

    Tensors do not show the range of values inside: windows of 7 are taken for a JPEG net, whose range is 255, and 1 is
    assumed for all others. Nor do they show whether a net of nearest neighbours with a single enlargement enlarges by 2
    or by 3: 2 is assumed; nor the output channels of "pixelshuffledirect": as many as at the input are assumed.

    Raises:
        ValueError: the names are those of a SwinIR, but no SwinIR has these shapes.
    """
    index = f"{_BLOCK}attn.relative_position_index"
    signature = {
        "conv_first.weight",
        index,
        f"{_BLOCK}mlp.fc1.weight",
        f"{_BLOCK}attn.relative_position_bias_table",
    }
    if not signature <= set(weights):
        return None
    embed_dim, inputs = tensor(weights, "conv_first.weight", dims=4).shape[:2]
    window_size = root(tensor(weights, index, dims=2).shape[0], name=index)
    groups = range(count(weights, r"layers\.(\d+)\."))
    tables = (f"layers.{group}.residual_group.blocks.0.attn.relative_position_bias_table" for group in groups)
    upsampler, scale, outputs = _upsampler(weights, inputs)
    before = weights.get("conv_before_upsample.0.weight")
    return {
        "_target_": "sr.archs.swinir.SwinIR",
        "scale": scale,
        "in_channels": inputs,
        "out_channels": outputs,
        "embed_dim": embed_dim,
        "depths": [count(weights, rf"layers\.{group}\.residual_group\.blocks\.(\d+)\.") for group in groups],
        "num_heads": [tensor(weights, table, dims=2).shape[1] for table in tables],
        "window_size": window_size,
        "mlp_ratio": ratio(tensor(weights, f"{_BLOCK}mlp.fc1.weight", dims=2).shape[0], embed_dim),
        "upsampler": upsampler,
        "num_feat": 64 if before is None else before.shape[0],
        "resi_connection": "1conv" if "conv_after_body.weight" in weights else "3conv",
        "img_range": 255.0 if window_size == 7 else 1.0,
        "img_size": _img_size(weights, window_size),
    }


def _upsampler(weights: Weights, inputs: int) -> tuple[str, int, int]:
    """The kind of upsampling, the scale and the output channels."""
    if "conv_last.weight" not in weights:
        return "pixelshuffledirect", direct_scale(weights, "upsample.0.weight", channels=inputs), inputs
    outputs = tensor(weights, "conv_last.weight", dims=4).shape[0]
    if "conv_before_upsample.0.weight" not in weights:
        return "", 1, outputs
    if "conv_hr.weight" in weights:
        enlargements = sum(re.fullmatch(r"conv_up\d+\.weight", name) is not None for name in weights)
        return "nearest+conv", 2**enlargements, outputs
    return "pixelshuffle", shuffle_scale(weights, "upsample."), outputs


def _img_size(weights: Weights, window_size: int) -> int:
    """The side of the image for which masks are stored, or the published one where there are none."""
    name = next((name for name in weights if name.endswith(".attn_mask")), None)
    if name is None:
        return 8 * window_size
    return root(tensor(weights, name, dims=3).shape[0], name=name) * window_size
