"""How other programs read our weights.

spandrel, which chaiNNer and others use, recognises a net by its tensors alone, even in a TorchScript file, and builds
its own. This was checked with its version 0.4.2; docs/export.md has the check.
"""

from sr.weights.generator import TrainedGenerator

RECOGNISED = ("safetensors", "pth", "torchscript")
KNOWN_NETS = ("RRDBNet", "SRVGGNetCompact", "OmniSR", "DAT")
PUBLISHED_GROWTH = 32


def warnings_for(trained: TrainedGenerator, name: str) -> list[str]:
    """The reasons why another program would compute something else from a file of this format, or refuse it."""
    if name == "ncnn" and getattr(trained.net, "unshuffle", 1) > 1:
        return [
            "programs with an ncnn of 2024 or before crash on this net, whose layers for any size are newer"
        ]
    if name not in RECOGNISED:
        return []
    net, arguments = trained.name, trained.description
    if net not in KNOWN_NETS:
        found = [f"do not know the architecture {net} by its weights"]
    elif arguments.get("skip", "nearest") != "nearest":
        found = [
            f"give OTHER IMAGES without an error: this {net} was trained with skip={arguments['skip']}, which no tensor"
            " tells, and the published architecture adds the nearest-upsampled input"
        ]
    else:
        found = _rrdbnet_surprises(trained) if net == "RRDBNet" else []
    return [
        f"programs that recognise a net by its weights (spandrel, chaiNNer) {each}; --format=onnx holds the whole net"
        for each in found
    ]


def _rrdbnet_surprises(trained: TrainedGenerator) -> list[str]:
    found = []
    growth = trained.description["num_grow_ch"]
    if growth != PUBLISHED_GROWTH:
        found.append(f"refuse num_grow_ch={growth}, since every published RRDBNet has {PUBLISHED_GROWTH}")
    if trained.scale == 3:
        found.append("take this RRDBNet x3 for x2, since no tensor tells by how much it enlarges")
    return found
