"""DAT, read off its tensors."""

from math import inf, isqrt, nextafter, prod
from typing import Any

from sr.weights.architectures.counting import count
from sr.weights.dialects import Weights

_FIRST = "layers.0.blocks.0."
_NEEDED = {
    "conv_first.weight",
    "before_RG.1.weight",
    f"{_FIRST}attn.attns.0.rpe_biases",
    f"{_FIRST}attn.attns.0.relative_position_index",
    f"{_FIRST}ffn.fc1.weight",
}
_SHUFFLES = {4: 2, 9: 3}
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
    factor = hidden / embed_dim
    return {
        "_target_": "sr.archs.dat.DAT",
        "in_channels": inputs,
        "embed_dim": embed_dim,
        "depths": depths,
        "num_heads": [_heads(weights, group) for group in groups],
        "split_size": _split_size(weights),
        # The next greater number where rounding would lose a channel.
        "expansion_factor": factor if int(embed_dim * factor) == hidden else nextafter(factor, inf),
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
        rows = weights["upsample.0.weight"].shape[0] if "upsample.0.weight" in weights else 0
        scale = isqrt(rows // inputs)
        if scale**2 * inputs != rows or not rows:
            raise ValueError(
                f"a DAT with {inputs} input channels and {rows} channels before the pixel shuffle"
            )
        channels = {"out_channels": inputs, "num_feat": _PUBLISHED["num_feat"]}
        return {"upsampler": "pixelshuffledirect", "scale": scale, **channels}
    last = weights["conv_last.weight"]
    places = range(0, count(weights, r"upsample\.(\d+)\."), 2)
    widened = [
        tensor.shape[0] if (tensor := weights.get(f"upsample.{place}.weight")) is not None else 0
        for place in places
    ]
    steps = [each // last.shape[1] for each in widened]
    if not set(steps) <= set(_SHUFFLES):
        raise ValueError(f"a DAT that multiplies its {last.shape[1]} channels by {steps} to enlarge")
    channels = {"out_channels": last.shape[0], "num_feat": last.shape[1]}
    return {"upsampler": "pixelshuffle", "scale": prod(_SHUFFLES[step] for step in steps), **channels}
