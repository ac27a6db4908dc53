"""ONNX Runtime, on a CPU or, with TensorRT, on a GPU."""

from typing import Any

import torch
from torch import Tensor

from sr.upscale.engines.engine import EngineError

PROVIDERS = {"onnx": "CPUExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}


class OnnxRuntimeEngine:
    """The exported graph in ONNX Runtime.

    Args:
        graph: the ONNX file.
        name: onnx, which computes on the CPU in fp32, or tensorrt, which needs the provider of that name and may
            compute in fp16.
        threads: the number of threads on a CPU.

    Raises:
        EngineError: ONNX Runtime is missing or lacks the provider.
    """

    def __init__(self, graph: bytes, *, name: str, threads: int) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise EngineError("onnxruntime is missing: pip install 'sr-lightning[export]'") from error
        provider = PROVIDERS[name]
        if provider not in onnxruntime.get_available_providers():
            raise EngineError(
                f"this onnxruntime has no {provider}, but {', '.join(onnxruntime.get_available_providers())}"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3  # its warnings are about its own optimisations
        self._session: Any = onnxruntime.InferenceSession(graph, options, providers=[provider])
        self._input = self._session.get_inputs()[0].name
        self.title = f"{name}, fp32"

    def __call__(self, tiles: Tensor) -> Tensor:
        (enlarged,) = self._session.run(None, {self._input: tiles.contiguous().cpu().numpy()})
        return torch.from_numpy(enlarged).to(tiles.device)
