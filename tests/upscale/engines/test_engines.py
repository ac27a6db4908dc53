"""Every engine that is installed gives what torch gives, and says what it lacks."""

import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from sr.archs.rrdbnet import RRDBNet
from sr.archs.srvgg import SRVGGNetCompact
from sr.export.onnx_graph import onnx_graph
from sr.upscale.engines.candidates import candidates
from sr.upscale.engines.engine import Candidate, EngineError
from sr.upscale.engines.in_torch import TorchEngine, with_bf16_weights
from sr.weights.generator import TrainedGenerator, load_generator

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedGenerator:
    torch.manual_seed(0)
    file: Path = tmp_path_factory.mktemp("nets") / "net.pth"
    torch.save(SRVGGNetCompact(scale=2, num_feat=8, num_conv=2).state_dict(), file)
    return load_generator(file)


def tried(trained: TrainedGenerator, engine: str, *, device: str = "cpu") -> list[Candidate]:
    graph = partial(onnx_graph, trained)
    return candidates(trained, graph=graph, device=torch.device(device), precision="fp32", engine=engine)


@pytest.mark.parametrize("name", ["torch", "onnx", "openvino"])
def test_an_engine_takes_any_shape_and_gives_what_torch_gives(name: str, trained: TrainedGenerator) -> None:
    pytest.importorskip({"onnx": "onnxruntime"}.get(name, name))
    (candidate,) = candidates(
        trained, graph=partial(onnx_graph, trained), device=CPU, precision="fp32", engine=name
    )
    engine = candidate.make()
    assert engine.title == candidate.title == f"{name}, fp32"
    for shape in ((1, 3, 16, 24), (3, 3, 17, 9)):
        tiles = torch.rand(shape, generator=torch.Generator().manual_seed(1))
        with torch.inference_mode():
            torch.testing.assert_close(engine(tiles), trained.net(tiles), rtol=0, atol=1e-5)


def test_a_result_of_openvino_is_not_overwritten_by_the_next(trained: TrainedGenerator) -> None:
    pytest.importorskip("openvino")
    (candidate,) = candidates(
        trained, graph=partial(onnx_graph, trained), device=CPU, precision="fp32", engine="openvino"
    )
    engine = candidate.make()
    first = engine(torch.zeros(1, 3, 8, 8))
    kept = first.clone()
    engine(torch.ones(1, 3, 8, 8))
    torch.testing.assert_close(first, kept, rtol=0, atol=0)


@pytest.mark.parametrize(
    "net",
    [SRVGGNetCompact(scale=2, num_feat=8, num_conv=2), RRDBNet(num_feat=8, num_block=1, num_grow_ch=4)],
    ids=["compact", "rrdbnet"],
)
def test_stored_bf16_weights_change_no_bit_of_autocast(net: nn.Module) -> None:
    net.eval()
    tiles = torch.rand(1, 3, 12, 10)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        expected = net(tiles)
        found = with_bf16_weights(net)(tiles)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert all(parameter.dtype == torch.float32 for parameter in net.parameters())  # only the copy has others


def test_bf16_casts_no_weight_for_a_tile() -> None:
    engine = TorchEngine(SRVGGNetCompact(scale=2, num_feat=8, num_conv=2).eval(), precision="bf16")
    convolutions = [module for module in engine.net.modules() if isinstance(module, nn.Conv2d)]
    assert {each.weight.dtype for each in convolutions} == {torch.bfloat16}
    with torch.inference_mode():
        assert engine(torch.rand(1, 3, 8, 8)).dtype == torch.float32


@pytest.mark.parametrize(("name", "package"), [("onnx", "onnxruntime"), ("openvino", "openvino")])
def test_a_missing_package_is_named_with_its_extra(
    name: str, package: str, trained: TrainedGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    (candidate,) = candidates(
        trained, graph=partial(onnx_graph, trained), device=CPU, precision="fp32", engine=name
    )
    with pytest.raises(EngineError, match=rf"{package} is missing: pip install 'sr-lightning\["):
        candidate.make()


def test_tensorrt_without_its_provider_says_what_there_is(trained: TrainedGenerator) -> None:
    pytest.importorskip("onnxruntime")
    (candidate,) = candidates(
        trained,
        graph=partial(onnx_graph, trained),
        device=torch.device("cuda"),
        precision="fp32",
        engine="tensorrt",
    )
    with pytest.raises(EngineError, match=r"no TensorrtExecutionProvider, but .*CPUExecutionProvider"):
        candidate.make()


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"engine": "tensorrt"}, r"engine=tensorrt: on cpu choose auto, torch, compiled, onnx, openvino"),
        (
            {"engine": "onnx", "precision": "bf16"},
            r"precision=bf16: on cpu engine=onnx computes in fp32",
        ),
    ],
)
def test_what_cannot_be_is_refused(choice: dict[str, str], message: str, trained: TrainedGenerator) -> None:
    with pytest.raises(ValueError, match=message):
        candidates(trained, graph=bytes, device=CPU, **{"precision": "fp32", **choice})


def test_a_gpu_has_other_engines(trained: TrainedGenerator) -> None:
    """No GPU is at hand: the choice alone."""
    found = candidates(
        trained, graph=partial(onnx_graph, trained), device=torch.device("cuda"), precision="fp32"
    )
    assert [each.title for each in found] == ["torch, fp32", "compiled, fp32", "tensorrt, fp32"]
