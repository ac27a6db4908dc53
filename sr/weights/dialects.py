"""The names under which tools store nets, translated to ours, which are those of the published files.

Everything here is a function of names alone (but for constants that one tool does not store);
`sr.weights.architectures` reads a net off the shapes.
"""

import re
from collections.abc import Callable, Mapping

from torch import Tensor

from sr.weights.basicsr_names import is_basicsr, rename_basicsr, with_means

Weights = Mapping[str, Tensor]

REAL_ESRGAN = "Real-ESRGAN (BasicSR)"
BASICSR = "BasicSR"
ESRGAN_2019 = "ESRGAN (2019)"
ESRGAN_2018 = "old ESRGAN (2018)"
RUN = "checkpoint of a run"  # written by train.py, with the configuration of the run
PARAMETRIZED = "spectral norm as a parametrization"
UNKNOWN = "unknown"

# Prefixes that wrappers add to every name.
TRANSPARENT = ("module.", "_orig_mod.", "model.")
# Names under which the profiler thop leaves its counts among the weights, as in the published files of OmniSR.
COUNTS = ("total_ops", "total_params")
# The names of the nets in a training checkpoint, the averaged generator first.
GENERATORS = ("generator_ema.", "net_g_ema.", "generator.", "netG.", "net_g.")
DISCRIMINATORS = ("discriminator.", "netD.", "net_d.")

_NAMES_2019 = {
    "trunk_conv": "conv_body",
    "upconv1": "conv_up1",
    "upconv2": "conv_up2",
    "HRconv": "conv_hr",
}
_OLD_BLOCK = re.compile(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.(weight|bias)")
_OLD_PLUS = re.compile(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv1x1\.weight")  # ESRGAN+
_OLD_TRUNK = re.compile(r"model\.1\.sub\.(\d+)\.(weight|bias)")
_OLD_CONV = re.compile(r"model\.(\d+)\.(weight|bias)")


def choose_net(weights: Weights, roles: tuple[str, ...]) -> tuple[str, Weights]:
    """Choose the first of `roles` that a file with several nets has: its name and weights; ("", {}) without any."""
    weights = strip(weights)
    for role in roles:
        found = below(weights, role)
        if found:
            return role.removesuffix("."), strip(found)
    return "", {}


def strip(weights: Weights) -> Weights:
    """Remove the prefixes that wrappers around the whole net add to names, and what is no weight."""
    weights = {key: value for key, value in weights.items() if key.rpartition(".")[2] not in COUNTS}
    for prefix in TRANSPARENT:
        # `model.0.weight` is a name of 2018 and not a wrapper.
        if weights and all(
            key.startswith(prefix) and not key[len(prefix) :][:1].isdigit() for key in weights
        ):
            return strip({key.removeprefix(prefix): value for key, value in weights.items()})
    return weights


def below(weights: Weights, prefix: str) -> Weights:
    """The entries whose name begins with `prefix`, which is removed."""
    return {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}


def translate(weights: Weights) -> tuple[str, Weights]:
    """Find the dialect of the names, and give the tensors our names; unknown names stay as they are."""
    for dialect, is_it, rename in _DIALECTS:
        if is_it(weights):
            renamed = rename(weights)
            translated = {renamed.get(key, key): value for key, value in weights.items()}
            return dialect, with_means(translated) if dialect == BASICSR else translated
    return UNKNOWN, weights


def _rename_2018(weights: Weights) -> dict[str, str]:
    """A flat list: the first convolution, the trunk, then one convolution per enlargement, and two more."""
    places = {int(match[1]) for key in weights if (match := _OLD_CONV.fullmatch(key))}
    *enlarging, high, last = sorted(places - {0})
    names = {0: "conv_first", high: "conv_hr", last: "conv_last"}
    names |= {place: f"conv_up{number}" for number, place in enumerate(enlarging, start=1)}
    renamed = {}
    for key in weights:
        if block := _OLD_BLOCK.fullmatch(key):
            renamed[key] = "body.{}.rdb{}.conv{}.{}".format(*block.groups())
        elif plus := _OLD_PLUS.fullmatch(key):
            renamed[key] = "body.{}.rdb{}.conv1x1.weight".format(*plus.groups())
        elif trunk := _OLD_TRUNK.fullmatch(key):
            renamed[key] = f"conv_body.{trunk[2]}"
        elif conv := _OLD_CONV.fullmatch(key):
            renamed[key] = f"{names[int(conv[1])]}.{conv[2]}"
    return renamed


def _rename_2019(weights: Weights) -> dict[str, str]:
    renamed = {}
    for key in weights:
        name = key.replace("RRDB_trunk.", "body.").replace(".RDB", ".rdb")
        first, _, rest = name.partition(".")
        renamed[key] = f"{_NAMES_2019.get(first, first)}.{rest}"
    return renamed


def _rename_parametrized(weights: Weights) -> dict[str, str]:
    ends = {".parametrizations.weight.original": ".weight_orig", ".parametrizations.weight.0._u": ".weight_u"}
    ends |= {".parametrizations.weight.0._v": ".weight_v"}
    return {key: key.replace(old, new) for key in weights for old, new in ends.items() if key.endswith(old)}


def _is_2018(weights: Weights) -> bool:
    # The first convolution, the trunk and the last two exist at every scale.
    places = [key for key in weights if _OLD_CONV.fullmatch(key) and key.endswith("weight")]
    return "model.0.weight" in weights and "model.1.sub.0.RDB1.conv1.0.weight" in weights and len(places) >= 3


def _is_real_esrgan(weights: Weights) -> bool:
    rrdbnet = "conv_first.weight" in weights and "body.0.rdb1.conv1.weight" in weights
    compact = "body.0.weight" in weights and "body.1.weight" in weights and "body.1.bias" not in weights
    return rrdbnet or compact or "conv1.weight_orig" in weights or "conv0_0.weight" in weights


_DIALECTS: tuple[tuple[str, Callable[[Weights], bool], Callable[[Weights], dict[str, str]]], ...] = (
    (ESRGAN_2018, _is_2018, _rename_2018),
    (ESRGAN_2019, lambda weights: "RRDB_trunk.0.RDB1.conv1.weight" in weights, _rename_2019),
    (PARAMETRIZED, lambda weights: "conv1.parametrizations.weight.original" in weights, _rename_parametrized),
    (BASICSR, is_basicsr, rename_basicsr),
    (REAL_ESRGAN, _is_real_esrgan, lambda weights: {}),
)
