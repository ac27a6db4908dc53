"""DAT, read off its tensors."""

from math import isqrt, prod
from typing import Any

from sr.weights.architectures.counting import count
from sr.weights.architectures.shapes import direct_scale, ratio, shuffle_scale, tensor
from sr.weights.dialects import Weights

_FIRST = "layers.0.blocks.0."
_NEEDED = {
    "conv_first.weight",
    "before_RG.1.weight",
    f"{_FIRST}attn.attns.0.rpe_biases",
    f"{_FIRST}attn.attns.0.relative_position_index",
    f"{_FIRST}ffn.fc1.weight",
}
_PUBLISHED = {"img_size": 64, "num_feat": 64}


def describe(weights: Weights) -> dict[str, Any] | None:
    """`_target_` and arguments of the DAT that has these tensors, or None.

    The sides of the windows are the greatest offsets that the files state. Tensors do not show the range of the images
    inside and the rate of stochastic depth, for which the published ones are assumed, and for the light net not the
    channels of the output, assumed to be those of the input. Without masks the published side of the image is assumed.

    Raises:
        ValueError: the names are those of a DAT, but no DAT has these shapes.
    """
    if not all(name in weights for name in _NEEDED):
        return None
    inputs, embed_dim = weights["conv_first.weight"].shape[1], weights["conv_first.weight"].shape[0]
    groups = range(count(weights, r"layers\.(\d+)\."))
    depths = [count(weights, rf"layers\.{group}\.blocks\.(\d+)\.") for group in groups]
    hidden = weights[f"{_FIRST}ffn.fc1.weight"].shape[0]
    return {
        "_target_": "sr.archs.dat.DAT",
        "in_channels": inputs,
        "embed_dim": embed_dim,
        "depths": depths,
        "num_heads": [_heads(weights, group) for group in groups],
        "split_size": _split_size(weights),
        "expansion_factor": ratio(hidden, embed_dim),
        "qkv_bias": f"{_FIRST}attn.qkv.bias" in weights,
        "resi_connection": "1conv" if "conv_after_body.weight" in weights else "3conv",
        "img_range": 1.0,
        "drop_path_rate": 0.1,
        "img_size": _image_side(weights),
        **_upsampling(weights, inputs),
    }


def _heads(weights: Weights, group: int) -> int:
    temperature = weights.get(f"layers.{group}.blocks.1.attn.temperature")
    if temperature is not None:
        return temperature.shape[0]
    halves = weights.get(f"layers.{group}.blocks.0.attn.attns.0.pos.pos3.2.weight")
    if halves is None:
        raise ValueError(f"a DAT without attention in its group {group}")
    return 2 * halves.shape[0]


def _split_size(weights: Weights) -> list[int]:
    offsets = weights[f"{_FIRST}attn.attns.0.rpe_biases"]
    if offsets.dim() != 2:
        raise ValueError(f"a DAT whose offsets are {tuple(offsets.shape)}, not pairs")
    sides = [int(side) + 1 for side in offsets[-1].tolist()]
    pixels = weights[f"{_FIRST}attn.attns.0.relative_position_index"].shape[0]
    if prod(sides) != pixels or prod(2 * side - 1 for side in sides) != offsets.shape[0]:
        raise ValueError(
            f"a DAT with windows of {sides} that have {pixels} pixels and {len(offsets)} offsets"
        )
    return sides


def _image_side(weights: Weights) -> int:
    for name, mask in weights.items():
        if name.endswith("attn.attn_mask_0"):
            pixels = mask.shape[0] * mask.shape[1]
            if isqrt(pixels) ** 2 != pixels:
                raise ValueError(f"a DAT whose masks are for {pixels} pixels, which are no square")
            return isqrt(pixels)
    return _PUBLISHED["img_size"]


def _upsampling(weights: Weights, inputs: int) -> dict[str, Any]:
    if "conv_last.weight" not in weights:
        return {
            "upsampler": "pixelshuffledirect",
            "scale": direct_scale(weights, "upsample.0.weight", channels=inputs),
            "out_channels": inputs,
            "num_feat": _PUBLISHED["num_feat"],
        }
    outputs, num_feat = tensor(weights, "conv_last.weight", dims=4).shape[:2]
    return {
        "upsampler": "pixelshuffle",
        "scale": shuffle_scale(weights, "upsample."),
        "out_channels": outputs,
        "num_feat": num_feat,
    }
