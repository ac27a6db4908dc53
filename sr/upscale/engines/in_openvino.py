"""OpenVINO, on the CPU."""

from typing import Any

import torch
from torch import Tensor

from sr.ops.openvino_runtime import openvino_core
from sr.upscale.engines.engine import EngineError

HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}  # of what is not in int8 by its graph


class OpenVinoEngine:
    """The exported graph in OpenVINO.

    Args:
        graph: the ONNX file, the path of an .xml of OpenVINO's own, or an `openvino.Model`.
        precision: fp32 or bf16; int8 for a graph that is quantised (`sr.upscale.engines.int8`).
        threads: the number of threads.

    Raises:
        EngineError: OpenVINO is missing or cannot run the graph.
    """

    def __init__(self, graph: Any, *, precision: str, threads: int) -> None:
        try:
            import openvino
        except ImportError as error:
            raise EngineError("openvino is missing: pip install 'sr-lightning[openvino]'") from error
        settings = {
            "INFERENCE_PRECISION_HINT": HINTS[precision],
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
        }
        core = openvino_core()
        try:
            model = graph if isinstance(graph, openvino.Model) else core.read_model(graph)
            self._request: Any = core.compile_model(model, "CPU", settings).create_infer_request()
        except RuntimeError as error:
            raise EngineError(f"openvino: {str(error).strip().splitlines()[-1]}") from error
        self.title = f"openvino, {precision}"

    def __call__(self, tiles: Tensor) -> Tensor:
        found = self._request.infer([tiles.contiguous().numpy()], share_inputs=True)
        return torch.from_numpy(found[0])
