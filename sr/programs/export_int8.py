"""A net in int8, by calibration on pictures: written, read again, and measured beside fp32."""

import sys
from collections.abc import Mapping
from pathlib import Path

import torch

from sr.export.onnx_graph import onnx_graph
from sr.export.openvino_graph import ir_files
from sr.ops.normalisation import normalisation
from sr.ops.staged import naming, staged, write_bytes
from sr.pictures.listing import list_images
from sr.upscale.calibration import draw_tiles
from sr.upscale.engines.in_openvino import OpenVinoEngine
from sr.upscale.engines.in_torch import TorchEngine
from sr.upscale.engines.int8 import import_nncf, quantised
from sr.upscale.engines.int8_cost import Cost, cost_of
from sr.weights.generator import TrainedGenerator


def export_int8(trained: TrainedGenerator, card: Mapping[str, str], *, folder: Path, out: Path) -> Cost:
    """Write the files of OpenVINO, read them again, measure what int8 costs, and only then move them to their places.

    Args:
        trained: the net.
        card: its model card.
        folder: the pictures for the calibration, such as the net will enlarge.
        out: the .xml.

    Raises:
        FileNotFoundError, NotADirectoryError: there are no pictures in the folder.
        ValueError: there are too few pictures, or int8 is too coarse for the net.
        OSError: the files cannot be written.
    """
    import_nncf()  # before the pictures are read
    by = normalisation(trained.normalise, key=f"{trained.checkpoint.path}: normalise")
    tiles = draw_tiles(list_images(folder), channels=trained.channels, by=by, report=_warn)
    print(f"{folder}: {tiles}")
    graph = onnx_graph(trained)
    model = quantised(graph, tiles=tiles.calibrating)
    threads = torch.get_num_threads()
    with naming(out), staged(out) as unfinished:
        for suffix, content in ir_files(model, trained, {**card, "precision": "int8"}).items():
            write_bytes((unfinished / out.name).with_suffix(suffix), content)
        cost = cost_of(
            OpenVinoEngine(unfinished / out.name, precision="int8", threads=threads),
            reference=TorchEngine(trained.net, precision="fp32"),
            others=[OpenVinoEngine(graph, precision="fp32", threads=threads)],
            tiles=tiles.held_back,
        )
        cost.check()
    return cost


def _warn(message: str) -> None:
    print(f"warning: {message}", file=sys.stderr)
