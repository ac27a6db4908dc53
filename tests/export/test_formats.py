"""Every format, on every kind of net, gives the images that PyTorch gives, at any size."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import ROOT
from torch import Tensor

from sr.commands.export import parse
from sr.export.formats import file_format_of
from sr.export.half import rounded
from sr.export.parity import SIZES, largest_difference
from sr.ops.openvino_runtime import openvino_core
from sr.programs.export import run
from sr.weights.generator import load_generator

Write = Callable[..., Path]  # see conftest.py

# Other sizes than those that the export checks itself: one pixel, one row, odd ones, a batch.
OTHER_SIZES = ((1, 1, 1), (1, 1, 9), (4, 13, 7), (2, 20, 33))
ONNX = pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="needs the extra `export`")
OPENVINO = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="needs the extra `openvino`"
)
NCNN = pytest.mark.skipif(importlib.util.find_spec("ncnn") is None, reason="needs ncnn and pnnx")


def export(ckpt: Path, name: str, *options: str) -> Path:
    out = ckpt.with_suffix(file_format_of(name).parts[0])
    run(parse(["--ckpt", str(ckpt), "--format", name, "--out", str(out), *options]))
    return out


def images(ckpt: Path, sizes: tuple[tuple[int, int, int], ...]) -> list[tuple[Tensor, Tensor]]:
    net = load_generator(ckpt).net
    noise = torch.Generator().manual_seed(5)
    inputs = [torch.rand(batch, 3, height, width, generator=noise) for batch, height, width in sizes]
    return [(image, net(image)) for image in inputs]


@pytest.mark.parametrize("net", ["rrdbnet_x4", "rrdbnet_x1", "compact_bicubic", "srresnet"])
@pytest.mark.parametrize("name", ["safetensors", "pth"])
def test_weights_come_back_bit_for_bit(write: Write, name: str, net: str) -> None:
    ckpt = write(net)
    before, after = load_generator(ckpt), load_generator(export(ckpt, name))
    assert after.description == before.description  # the skip too, which no tensor tells
    for key, value in before.net.state_dict().items():
        assert torch.equal(value, after.net.state_dict()[key])
        assert value.dtype == after.net.state_dict()[key].dtype


@pytest.mark.parametrize(
    ("name", "net"),
    [
        ("torchscript", "rrdbnet_x4"),
        ("torchscript", "rrdbnet_x2"),
        ("torchscript", "compact_bicubic"),
        ("torchscript", "srresnet"),
        pytest.param("onnx", "compact_bicubic", marks=ONNX),
    ],
)
def test_a_graph_takes_any_batch_height_and_width(write: Write, name: str, net: str) -> None:
    ckpt = write(net)
    run = file_format_of(name).load(export(ckpt, name))
    for image, expected in images(ckpt, SIZES + OTHER_SIZES):
        torch.testing.assert_close(run(image), expected, rtol=0, atol=1e-5)


@NCNN
@pytest.mark.parametrize("net", ["rrdbnet_x4", "compact", "srresnet"])
def test_ncnn_takes_any_height_and_width(write: Write, net: str) -> None:
    ckpt = write(net)
    out = export(ckpt, "ncnn")
    for image, expected in images(ckpt, (*SIZES, (1, 2, 9))):
        found = file_format_of("ncnn").load(out)(image)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    layers = [line.split() for line in out.read_text().splitlines()[2:]]
    assert layers[0][0] == "Input" and layers[0][-1] == "data"
    assert any("output" in words[4:] for words in layers)


@NCNN
def test_ncnn_says_what_it_has_no_layers_for(write: Write) -> None:
    ckpt = write("compact_bicubic")
    with pytest.raises(
        ValueError, match=r"cannot be an ncnn net, which has no layers for .*upsample_bicubic"
    ):
        export(ckpt, "ncnn")
    assert sorted(path.name for path in ckpt.parent.iterdir()) == ["net.ckpt"]


@ONNX
def test_an_onnx_file_says_what_it_takes_and_what_it_is(write: Write) -> None:
    import onnxruntime

    ckpt = write("rrdbnet_x2")
    out = export(ckpt, "onnx", "--license", "CC0")
    for image, expected in images(ckpt, SIZES + OTHER_SIZES):  # odd sizes too, which this net pads
        torch.testing.assert_close(file_format_of("onnx").load(out)(image), expected, rtol=0, atol=1e-5)
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    (source,), (result,) = session.get_inputs(), session.get_outputs()
    assert (source.name, source.type, source.shape) == (
        "input",
        "tensor(float)",
        ["batch", 3, "height", "width"],
    )
    # Numbers for the channels: by them chaiNNer tells the order of the axes.
    assert (result.name, result.shape) == ("output", ["batch", 3, "2*height", "2*width"])
    words = session.get_modelmeta().custom_metadata_map
    assert (words["architecture"], words["scale"], words["license"]) == ("RRDBNet", "2", "CC0")
    assert json.loads(words["sr_generator"])["num_feat"] == 8
    assert sorted(path.name for path in ckpt.parent.iterdir()) == ["net.ckpt", "net.onnx"]  # one file
    assert_tells_nothing_of_the_machine(out)


@OPENVINO
@pytest.mark.parametrize(("net", "dtype"), [("rrdbnet_x2", "fp32"), ("compact", "fp16")])
def test_openvino_reads_its_own_format(write: Write, net: str, dtype: str) -> None:
    """By the library alone, with the weights that the type can hold."""
    ckpt = write(net)
    out = export(ckpt, "openvino", "--dtype", dtype, "--license", "CC0")
    assert sorted(path.name for path in ckpt.parent.iterdir()) == ["net.bin", "net.ckpt", "net.xml"]
    model = openvino_core().read_model(out)
    assert (model.input(0).any_name, model.output(0).any_name) == ("input", "output")
    assert {str(each.element_type) for each in (model.input(0), model.output(0))} == {"<Type: 'float32'>"}
    assert [axis.is_dynamic for axis in model.input(0).partial_shape] == [True, False, True, True]
    weights = {str(each.output(0).element_type) for each in model.get_ops() if _is_weight(each)}
    assert weights == {"<Type: 'float16'>" if dtype == "fp16" else "<Type: 'float32'>"}
    assert model.get_rt_info(["model_card", "license"]).value == "CC0"
    scale = json.loads(model.get_rt_info(["model_card", "sr_sizes"]).value)["scale"]
    compiled = openvino_core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    exact = rounded(load_generator(ckpt), dtype).net
    for image, _ in images(ckpt, SIZES + OTHER_SIZES):
        found = torch.from_numpy(compiled([image.numpy()])[0])
        assert found.shape[2:] == (scale * image.shape[2], scale * image.shape[3])
        torch.testing.assert_close(found, exact(image), rtol=0, atol=1e-5)
    assert_tells_nothing_of_the_machine(out)


def _is_weight(operation: Any) -> bool:
    return operation.get_type_name() == "Constant" and len(operation.output(0).partial_shape) == 4


@pytest.mark.filterwarnings("ignore:.*torch.jit.load. is deprecated")
def test_torchscript_carries_its_card_and_no_sources(write: Write) -> None:
    out = export(write("compact"), "torchscript")
    extra = {"model_card.json": ""}
    torch.jit.load(str(out), _extra_files=extra)
    assert json.loads(extra["model_card.json"])["architecture"] == "SRVGGNetCompact"


@pytest.mark.parametrize("name", ["safetensors", "pth", "torchscript"])
def test_no_file_tells_of_the_machine(write: Write, name: str) -> None:
    assert_tells_nothing_of_the_machine(export(write("compact"), name))


def assert_tells_nothing_of_the_machine(file: Path) -> None:
    for words in (str(ROOT), "somebody", "site-packages"):
        assert words.encode() not in file.read_bytes()


def test_the_published_layout_of_a_pth(write: Write) -> None:
    ckpt = write("rrdbnet_x4")
    content = torch.load(export(ckpt, "pth"), weights_only=True)
    assert list(content) == ["params_ema", "sr_generator", "sr_sizes", "model_card"]
    assert content["params_ema"]["conv_first.weight"].is_contiguous()
    assert "body.0.rdb1.conv1.weight" in content["params_ema"]


@pytest.mark.parametrize(
    ("wrong", "difference"),
    [
        (lambda image: image.repeat(1, 1, 4, 4), "finite"),
        (lambda image: image, "inf"),
        (lambda image: torch.full((len(image), 3, 4 * image.shape[2], 4 * image.shape[3]), torch.nan), "nan"),
    ],
)
def test_a_difference_is_seen(write: Write, wrong: Any, difference: str) -> None:
    found = largest_difference(load_generator(write("compact")), wrong)
    assert not found <= 1e-4
    assert difference == "finite" or str(found) == difference
