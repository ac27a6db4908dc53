"""SRVGGNetCompact, read off its tensors."""

from typing import Any

from sr.weights.architectures.counting import count
from sr.weights.dialects import Weights


def describe(weights: Weights) -> dict[str, Any] | None:
    """`_target_` and arguments of the SRVGGNetCompact that has these tensors, or None.

    Tensors do not show the skip, for which the published one is assumed, nor which activation a net without PReLU has:
    ReLU is assumed.

    Raises:
        ValueError: the names are those of an SRVGGNetCompact, but no such net has these shapes.
    """
    prelu = "body.1.weight" in weights
    if "body.0.weight" not in weights or "body.1.bias" in weights or not (prelu or _is_bare(weights)):
        return None
    layers = count(weights, r"body\.(\d+)\.")
    first, last = weights["body.0.weight"], weights.get(f"body.{layers - 1}.weight")
    inputs = first.shape[1]
    scale = round((last.shape[0] / inputs) ** 0.5) if last is not None else 0
    if not layers % 2 or last is None or scale**2 * inputs != last.shape[0]:
        shape = None if last is None else tuple(last.shape)
        raise ValueError(
            f"an SRVGGNetCompact with {inputs} input channels whose last of {layers} layers is {shape}: its outputs"
            " must be a square number times the input channels"
        )
    return {
        "_target_": "sr.archs.srvgg.SRVGGNetCompact",
        "scale": scale,
        "in_channels": inputs,
        "out_channels": inputs,
        "num_feat": first.shape[0],
        "num_conv": (layers - 3) // 2,
        "skip": "nearest",
        "activation": "prelu" if prelu else "relu",
    }


def _is_bare(weights: Weights) -> bool:
    """Whether these are the tensors of convolutions at the even places of one list, and nothing else."""
    places = {f"body.{place}.{kind}" for place in range(0, len(weights), 2) for kind in ("weight", "bias")}
    return len(weights) > 2 and set(weights) == places
