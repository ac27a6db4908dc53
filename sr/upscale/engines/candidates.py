"""The engines that can be tried for a net on a device."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

import torch

from sr.ops.hardware import has_bf16
from sr.upscale.engines.engine import Candidate, Engine, EngineError
from sr.upscale.engines.in_onnx_runtime import OnnxRuntimeEngine
from sr.upscale.engines.in_openvino import OpenVinoEngine
from sr.upscale.engines.in_torch import CompiledEngine, TorchEngine
from sr.weights.generator import TrainedGenerator

# Which engines a device has, and the precisions of each.
Precisions = Mapping[str, Sequence[str]]
ON_CPU: Precisions = {
    "torch": ("fp32", "bf16"),
    "compiled": ("fp32", "bf16"),
    "onnx": ("fp32",),
    "openvino": ("fp32", "bf16"),
}
ON_CUDA: Precisions = {"torch": ("fp32", "bf16"), "compiled": ("fp32", "bf16"), "tensorrt": ("fp32",)}


ON_MPS: Precisions = {"torch": ("fp32",)}
ENGINES_OF = {"cpu": ON_CPU, "cuda": ON_CUDA, "mps": ON_MPS}


def candidates(
    trained: TrainedGenerator,
    *,
    graph: Callable[[], bytes],
    device: torch.device,
    precision: str,
    engine: str = "auto",
) -> list[Candidate]:
    """What can be tried: all engines of the device, or the named one alone, in the precision asked for.

    Args:
        trained: the net, on the device.
        graph: makes the ONNX graph of the net.
        device: a CPU or a GPU.
        precision: fp32, bf16, or auto, which allows both where the device has instructions for bf16.
        engine: one of ENGINES.

    Raises:
        ValueError: the engine is none of the device, or does not have that precision.
    """
    there = ENGINES_OF[device.type]
    if engine != "auto" and engine not in there:
        raise ValueError(f"engine={engine}: on {device} choose auto, {', '.join(there)}")
    names = list(there) if engine == "auto" else [engine]
    allowed = _allowed(precision, device)
    exported = exported_once(graph)
    found = [
        Candidate(name, kind, partial(_make, trained, exported, name, kind))
        for name in names
        for kind in there[name]
        if kind in allowed
    ]
    if not found:
        kinds = sorted({kind for name in names for kind in there[name]})
        raise ValueError(f"precision={precision}: on {device} engine={engine} computes in {', '.join(kinds)}")
    return found


def _allowed(precision: str, device: torch.device) -> tuple[str, ...]:
    if precision != "auto":
        return (precision,)
    return ("fp32", "bf16") if has_bf16(device) else ("fp32",)


def exported_once(graph: Callable[[], bytes]) -> Callable[[], bytes]:
    """Exports the net when an engine first asks for it, and not again for the next one."""

    @cache
    def exported() -> bytes:
        try:
            return graph()
        except ImportError as error:
            raise EngineError(f"{error.name} is missing: pip install 'sr-lightning[export]'") from error
        except Exception as error:
            # The exporter of torch raises what it likes for a net that it cannot write.
            raise EngineError(f"no ONNX graph of this net: {str(error).strip().splitlines()[0]}") from error

    return exported


def _make(trained: TrainedGenerator, graph: Callable[[], bytes], name: str, precision: str) -> Engine:
    threads = torch.get_num_threads()
    if name == "torch":
        return TorchEngine(trained.net, precision=precision)
    if name == "compiled":
        return CompiledEngine(trained.net, precision=precision, channels=trained.channels)
    if name == "openvino":
        return OpenVinoEngine(graph(), precision=precision, threads=threads)
    return OnnxRuntimeEngine(graph(), name=name, threads=threads)
