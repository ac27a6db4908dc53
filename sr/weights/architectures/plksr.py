"""PLKSR and RealPLKSR, read off their tensors."""

from typing import Any

from sr.weights.architectures.counting import count
from sr.weights.architectures.shapes import ratio
from sr.weights.dialects import Weights

_MIXERS = {(3, 1): "CCM", (1, 3): "ICCM", (3, 3): "DCCM"}


def describe(weights: Weights) -> dict[str, Any] | None:
    """`_target_` and arguments of the PLKSR or RealPLKSR that has these tensors, or None.

    Tensors do not show the number of groups of a group norm, for which the published 4 is assumed.

    Raises:
        ValueError: the names are those of such a net, but no net here has these shapes or these large kernels.
    """
    plain, real = "feats.1.channe_mixer.0.weight" in weights, "feats.1.channel_mixer.0.weight" in weights
    if not ((plain or real) and {"feats.0.weight", "feats.1.refine.weight"} <= set(weights)):
        return None
    kernel = weights.get("feats.1.lk.conv.weight")
    if kernel is None:
        raise ValueError("a PLKSR with sparse or rectangular large kernels, which are not supported")
    layers = count(weights, r"feats\.(\d+)\.")
    features, inputs = weights["feats.0.weight"].shape[:2]
    last = weights.get(f"feats.{layers - 1}.weight")
    scale = round((last.shape[0] / inputs) ** 0.5) if last is not None else 0
    if last is None or scale**2 * inputs != last.shape[0]:
        raise ValueError(
            f"a PLKSR with {inputs} input channels whose last convolution is"
            f" {None if last is None else tuple(last.shape)}: its outputs must be a square number times the inputs"
        )
    found = {
        "scale": scale,
        "in_channels": inputs,
        "out_channels": inputs,
        "num_feat": features,
        "num_block": layers - (2 if plain else 3),
        "kernel_size": kernel.shape[2],
        "split_ratio": ratio(kernel.shape[0], features),
        "use_ea": "feats.1.attn.f.0.weight" in weights,
    }
    if plain:
        return {"_target_": "sr.archs.plksr.PLKSR", "ccm_type": _mixer(weights)} | found
    return {
        "_target_": "sr.archs.realplksr.RealPLKSR",
        "norm_groups": 4,
        "layer_norm": "feats.1.layer_norm.weight" in weights,
        "upsampler": "dysample" if "to_img.init_pos" in weights else "pixelshuffle",
    } | found


def _mixer(weights: Weights) -> str:
    second = weights.get("feats.1.channe_mixer.2.weight")
    kernels = weights["feats.1.channe_mixer.0.weight"].shape[2], 0 if second is None else second.shape[2]
    if kernels not in _MIXERS:
        raise ValueError(f"a PLKSR whose channel mixer has kernels {kernels}: known are {list(_MIXERS)}")
    return _MIXERS[kernels]
