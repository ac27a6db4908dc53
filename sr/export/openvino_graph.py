"""OpenVINO's own format (IR): an .xml of operations and a .bin of weights."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from sr.export.onnx_graph import onnx_graph
from sr.ops.openvino_runtime import openvino_core
from sr.weights.generator import TrainedGenerator, stated

CARD = "model_card"  # the section of the .xml that has the card
OF_ONNX = "framework"  # the section with what the ONNX graph stated, which is in the card too


class OpenVino:
    """`input` (batch, channels, height, width) float32 -> `output`, the model card in the section `model_card`."""

    parts: tuple[str, ...] = (".xml", ".bin")
    tolerance: Mapping[str, float] = MappingProxyType({"fp32": 1e-4, "fp16": 1e-4})
    packages: tuple[str, ...] = ("onnx", "onnxscript", "openvino")
    extra: str = "openvino"

    def encode(
        self, trained: TrainedGenerator, card: Mapping[str, str], *, dtype: str = "fp32"
    ) -> dict[str, bytes]:
        """The files; weights in fp16 become fp32 again when they are loaded, so only the file is smaller."""
        model = openvino_core().read_model(onnx_graph(trained))
        return ir_files(model, trained, card, fp16=dtype == "fp16")

    def load(self, path: Path, *, trust: Sequence[str] = ()) -> Callable[[Tensor], Tensor]:
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        request = openvino_core().compile_model(str(path), "CPU", settings).create_infer_request()

        def run(images: Tensor) -> Tensor:
            return torch.from_numpy(request.infer([images.contiguous().numpy()])[0].copy())

        return run


def ir_files(
    model: Any, trained: TrainedGenerator, card: Mapping[str, str], *, fp16: bool = False
) -> dict[str, bytes]:
    """The .xml and the .bin of an `openvino.Model`, with the card and what the net states of itself."""
    import openvino

    if model.has_rt_info([OF_ONNX]):
        del model.rt_info[OF_ONNX]
    for key, value in {**card, **{key: json.dumps(value) for key, value in stated(trained).items()}}.items():
        model.set_rt_info(value, [CARD, key])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "net.xml")
        openvino.save_model(model, file, compress_to_fp16=fp16)  # it writes files alone
        return {suffix: file.with_suffix(suffix).read_bytes() for suffix in OpenVino.parts}
