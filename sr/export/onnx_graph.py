"""An ONNX graph with dynamic batch, height and width."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from sr.export.quiet import quiet
from sr.weights.generator import TrainedGenerator, stated

INPUT, OUTPUT = "input", "output"
DYNAMIC = {0: "batch", 2: "height", 3: "width"}
# The oldest version that torch's exporter writes without a conversion.
OPSET = 18
INT64 = 7  # onnx.TensorProto.INT64


class Onnx:
    """`input` (batch, channels, height, width) float32 -> `output`, the model card in its metadata properties."""

    parts: tuple[str, ...] = (".onnx",)
    # Products of fp16 have eleven significant bits.
    tolerance: Mapping[str, float] = MappingProxyType({"fp32": 1e-4, "fp16": 2e-2})
    packages: tuple[str, ...] = ("onnx", "onnxscript", "onnxruntime")
    extra: str = "export"

    def encode(
        self, trained: TrainedGenerator, card: Mapping[str, str], *, dtype: str = "fp32"
    ) -> dict[str, bytes]:
        import onnx
        from onnx_ir.passes.common import ClearMetadataAndDocStringPass

        with quiet():
            program = torch.onnx.export(
                trained.net,
                (torch.zeros(2, trained.channels, 16, 24),),
                dynamo=True,
                dynamic_shapes=(DYNAMIC,),
                input_names=[INPUT],
                output_names=[OUTPUT],
                opset_version=OPSET,
                custom_translation_table=_translations(),
                verbose=False,
            )
        assert program is not None
        ClearMetadataAndDocStringPass()(program.model)  # stack traces, with paths of this machine
        model = program.model_proto if dtype == "fp32" else _in_fp16(program.model_proto)
        for axis, name in ((2, "height"), (3, "width")):
            # For a net that pads, the exporter gives a formula of the padding instead.
            model.graph.output[0].type.tensor_type.shape.dim[axis].dim_param = f"{trained.scale}*{name}"
        words = {**card, **{key: json.dumps(value) for key, value in stated(trained).items()}}
        onnx.helper.set_model_props(model, words)
        onnx.checker.check_model(model, full_check=True)
        return {".onnx": model.SerializeToString()}

    def load(self, path: Path, *, trust: Sequence[str] = ()) -> Callable[[Tensor], Tensor]:
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return lambda image: torch.from_numpy(session.run([OUTPUT], {INPUT: image.numpy()})[0])


def _in_fp16(model: Any) -> Any:
    """The graph with weights and computation in fp16; its input and output stay fp32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    converted = OnnxModel(convert_float_to_float16(model, keep_io_types=True))
    converted.topological_sort()  # the casts of the input stand at the end, which ONNX forbids
    return converted.model


def onnx_graph(trained: TrainedGenerator) -> bytes:
    """The file alone, without a card. Raises ImportError where a package is missing."""
    import onnxscript  # noqa: F401  the exporter of torch needs it, and does not name it

    return Onnx().encode(trained, card={})[".onnx"]


def _translations() -> dict[Any, Callable[..., Any]]:
    """Translations that the bicubic skip needs and that torch 2.13 lacks."""
    from onnxscript import opset18

    op: Any = opset18

    def bicubic(image: Any, size: Any, align_corners: bool, *scales: float | None) -> Any:
        # `upsample_bicubic` asks for the antialiased operation only to get a = -0.5, and it never shrinks.
        shape = op.Concat(op.Shape(image, start=0, end=2), op.Cast(size, to=INT64), axis=0)
        return op.Resize(
            image,
            None,
            None,
            shape,
            mode="cubic",
            cubic_coeff_a=-0.5,
            coordinate_transformation_mode="half_pixel",
        )

    def remainder(number: Any, divisor: Any) -> Any:
        return op.Mod(number, divisor)

    operators = torch.ops.aten
    return {operators._upsample_bicubic2d_aa.default: bicubic, operators.remainder.Scalar: remainder}
