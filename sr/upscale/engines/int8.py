"""A net whose convolutions compute in 8 bits, made by NNCF from a graph and tiles of pictures.

Tiles show the range of what enters a layer; the weights are rounded channel by channel, and the error in the mean of
each channel is taken out of its bias. Nothing is trained.
"""

import io
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any

from torch import Tensor

from sr.ops.openvino_runtime import kept_signal_stack, openvino_core
from sr.upscale.engines.engine import EngineError

INSTALL = "pip install 'sr-lightning[int8]'"
TELEMETRY = "openvino_telemetry"
# Operations with weights, which are worth computing in 8 bits.
WEIGHTED = (
    "Convolution",
    "GroupConvolution",
    "ConvolutionBackpropData",
    "GroupConvolutionBackpropData",
    "MatMul",
)


def quantised(graph: bytes, *, tiles: Sequence[Tensor]) -> Any:
    """The `openvino.Model` in int8; its input and output stay fp32.

    Args:
        graph: the ONNX file of the net.
        tiles: parts of pictures as the net will see them, each (N, C, H, W) float32.

    Raises:
        EngineError: NNCF or OpenVINO is missing, or cannot do it with this net.
    """
    nncf = import_nncf()
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    try:
        model = openvino_core().read_model(graph)
        with _quiet(), kept_signal_stack():
            return nncf.quantize(
                model,
                nncf.Dataset([tile.numpy() for tile in tiles]),
                preset=nncf.QuantizationPreset.MIXED,
                target_device=nncf.TargetDevice.CPU,
                subset_size=len(tiles),
                ignored_scope=nncf.IgnoredScope(names=end_of(model), validate=False),
                # The range of all tiles: by the mean range of a tile, which is the default, white would be cut off.
                advanced_parameters=AdvancedQuantizationParameters(
                    activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
                ),
            )
    except Exception as error:  # the libraries raise what they like for a net that they cannot read
        raise EngineError(f"int8: {str(error).strip().splitlines()[0]}") from error


def end_of(model: Any) -> list[str]:
    """The names of the operations behind the last ones that have weights: in most nets, where the enlarged input is
    added. They cost no time, and stay in fp32, since 8 bits would round the image itself."""
    reached: set[str] = set()
    waiting = list(model.get_results())
    while waiting:
        operation = waiting.pop()
        name = operation.get_friendly_name()
        if operation.get_type_name() not in WEIGHTED and name not in reached:
            reached.add(name)
            waiting += [value.get_node() for value in operation.input_values()]
    return sorted(reached)


def import_nncf() -> Any:
    """Raises EngineError, with what to install, where NNCF or OpenVINO is missing."""
    kind = logging.getLoggerClass()
    try:
        with _without_telemetry():
            import nncf
    except ImportError as error:
        raise EngineError(f"{error.name} is missing: {INSTALL}") from error
    finally:
        logging.setLoggerClass(kind)  # which it replaces by its own, for every logger of the program
    # Not by `nncf.set_log_level`, which changes handlers too, and those of others may be among them.
    logging.getLogger("nncf").setLevel(logging.ERROR)
    return nncf


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """NNCF tells its makers of every call, over the network and without asking, where it finds the package for that."""
    found = sys.modules.get(TELEMETRY)
    sys.modules[TELEMETRY] = None  # type: ignore[assignment]  # as if it were not installed
    try:
        yield
    finally:
        del sys.modules[TELEMETRY]
        if found is not None:
            sys.modules[TELEMETRY] = found


@contextmanager
def _quiet() -> Iterator[None]:
    """Its progress bars in a terminal alone, and never among the results."""
    with redirect_stdout(sys.stderr if sys.stderr.isatty() else io.StringIO()):
        yield
