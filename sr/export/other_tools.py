"""How other programs read our weights.

spandrel, which chaiNNer and others use, recognises a net by its tensors alone, even in a TorchScript file, and builds
its own. This was checked with its version 0.4.2; docs/export.md has the check.
"""

from collections.abc import Callable

from sr.weights.described import HOME
from sr.weights.generator import TrainedGenerator
from sr.weights.spandrel_nets import SPANDREL

RECOGNISED = ("safetensors", "pth", "torchscript", "huggingface")
PUBLISHED_GROWTH = 32
PUBLISHED_SPAN_BLOCKS = 6
PUBLISHED_RANGE = 255.0
PUBLISHED_GROUPS = 4  # of the group norm of RealPLKSR
PUBLISHED_FEATURES = 64  # of RCAN
RGB = 3


def warnings_for(trained: TrainedGenerator, name: str) -> list[str]:
    """The reasons why another program would compute something else from a file of this format, or refuse it."""
    if name in ("ncnn", "upscayl") and getattr(trained.net, "unshuffle", 1) > 1:
        return [
            "programs with an ncnn of 2024 or before crash on this net, whose layers for any size are newer"
        ]
    if name not in RECOGNISED:
        return []
    net, arguments = trained.name, trained.description
    if arguments.get("_target_") == SPANDREL:  # read by spandrel itself
        found = []
    elif not str(arguments["_target_"]).startswith(f"{HOME}.") or net not in SURPRISES:
        found = [f"do not know the architecture {net} by its weights"]
    elif arguments.get("skip", "nearest") != "nearest":
        found = [
            f"give OTHER IMAGES without an error: this {net} was trained with skip={arguments['skip']}, which no tensor"
            " tells, and the published architecture adds the nearest-upsampled input"
        ]
    else:
        found = SURPRISES[net](trained)
    return [
        f"programs that recognise a net by its weights (spandrel, chaiNNer) {each}; --format=onnx holds the whole net"
        for each in found
    ]


def _srvgg_surprises(trained: TrainedGenerator) -> list[str]:
    activation = trained.description.get("activation", "prelu")
    return [] if activation == "prelu" else [f"do not know an SRVGGNetCompact with activation={activation}"]


def _span_surprises(trained: TrainedGenerator) -> list[str]:
    blocks, found = trained.description["num_block"], _range_surprises(trained)
    return found if blocks == PUBLISHED_SPAN_BLOCKS else [*found, f"refuse a SPAN with num_block={blocks}"]


def _rcan_surprises(trained: TrainedGenerator) -> list[str]:
    words, found = trained.description, _range_surprises(trained)
    if trained.scale == 1 and not words["unshuffle"] and words["num_feat"] != PUBLISHED_FEATURES:
        found.append(
            f"refuse an RCAN x1 with num_feat={words['num_feat']}, for which they take 64 for granted"
        )
    return found


def _range_surprises(trained: TrainedGenerator) -> list[str]:
    found = []
    img_range, norm = trained.description["img_range"], trained.description["norm"]
    if norm and img_range != PUBLISHED_RANGE:
        found.append(f"give OTHER IMAGES without an error: no tensor tells img_range={img_range}")
    if norm and trained.channels != RGB:
        found.append(f"refuse channels={trained.channels} with norm=true")
    return found


def _plksr_surprises(trained: TrainedGenerator) -> list[str]:
    found = [] if trained.channels == RGB else [f"refuse channels={trained.channels}"]
    words = trained.description
    if not words.get("layer_norm", True) and words["norm_groups"] != PUBLISHED_GROUPS:
        found.append(
            f"give OTHER IMAGES without an error: no tensor tells norm_groups={words['norm_groups']}"
        )
    return found


def _rrdbnet_surprises(trained: TrainedGenerator) -> list[str]:
    found = []
    if trained.description.get("plus"):
        found.append("give OTHER IMAGES without an error: they read ESRGAN+ under the names of 2018 alone")
    growth = trained.description["num_grow_ch"]
    if growth != PUBLISHED_GROWTH:
        found.append(f"refuse num_grow_ch={growth}, since every published RRDBNet has {PUBLISHED_GROWTH}")
    if trained.scale == 3:
        found.append("take this RRDBNet x3 for x2, since no tensor tells by how much it enlarges")
    return found


SURPRISES: dict[str, Callable[[TrainedGenerator], list[str]]] = {
    "RRDBNet": _rrdbnet_surprises,
    "SRVGGNetCompact": _srvgg_surprises,
    "SPAN": _span_surprises,
    "PLKSR": _plksr_surprises,
    "RealPLKSR": _plksr_surprises,
    "RCAN": _rcan_surprises,
    **dict.fromkeys(("SwinIR", "HAT", "OmniSR", "DAT"), lambda trained: []),
}
