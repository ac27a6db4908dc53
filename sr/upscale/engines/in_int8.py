"""The engine in int8, made of tiles of a user's pictures when it is asked for."""

from collections.abc import Callable

import torch

from sr.upscale.calibration import Tiles
from sr.upscale.engines.candidates import exported_once
from sr.upscale.engines.engine import Engine
from sr.upscale.engines.in_openvino import OpenVinoEngine
from sr.upscale.engines.in_torch import TorchEngine
from sr.upscale.engines.int8 import import_nncf, quantised
from sr.upscale.engines.int8_cost import cost_of
from sr.weights.generator import TrainedGenerator

ALONE = ("auto", "openvino")  # engines that mean OpenVINO, which alone computes in int8


def int8_engine(
    trained: TrainedGenerator,
    *,
    graph: Callable[[], bytes],
    device: torch.device,
    engine: str,
    tiles: Callable[[], Tiles],
    report: Callable[[str], None] = print,
) -> Engine:
    """OpenVINO with the net in int8, after lines that say what that costs and gains.

    Its title names the tiles, because other tiles make other images.

    Args:
        trained: the net in evaluation mode, on the device.
        graph: makes the ONNX graph of the net.
        device: a CPU.
        engine: auto or openvino.
        tiles: draws the tiles for the calibration.
        report: a function that is called with what the user should know.

    Raises:
        ValueError: the engine or the device is another one, NNCF is missing, there are too few tiles, or int8 is too
            coarse for the net.
    """
    if engine not in ALONE or device.type != "cpu":
        raise ValueError(
            f"precision=int8 is computed by OpenVINO on a CPU: engine={engine} must be one of {', '.join(ALONE)}, and"
            f" device={device} must be cpu"
        )
    import_nncf()  # before the pictures are read
    drawn, exported, threads = tiles(), exported_once(graph), torch.get_num_threads()
    report(f"int8: {drawn}")
    made = OpenVinoEngine(quantised(exported(), tiles=drawn.calibrating), precision="int8", threads=threads)
    made.title += f" ({drawn.digest})"
    cost = cost_of(
        made,
        reference=TorchEngine(trained.net, precision="fp32"),
        others=[OpenVinoEngine(exported(), precision="fp32", threads=threads)],
        tiles=drawn.held_back,
    )
    cost.check()
    report(str(cost))
    return made
