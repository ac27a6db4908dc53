"""Every net in every format of a graph: it computes what PyTorch does at any size, or is refused with the reason."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny_nets import GENERATORS, lively, noise

from sr.export.formats import file_format_of
from sr.weights.generator import TrainedGenerator

SIZES = ((1, 24, 40), (1, 17, 23), (1, 9, 31))  # (batch, height, width); ncnn knows no batch
# What ncnn has no layers for, by the beginning of the name of the net.
NCNN_REFUSES: dict[str, str] = {
    "srvgg_bicubic": "upsample_bicubic",
    "swinir": "torch.arange",  # the masks, which follow from the size
    "swinir_light": "torch.arange",
    "swinir_real": "torch.arange",
    "hat": "torch.arange",
    "rcan_unshuffled": "torch.index_select",  # of the padding
    "realplksr": "torch.arange",  # the places of DySample, which follow from the size
    "dat": "Tensor.reshape",
    "dat_light": "Tensor.reshape",
    "omnisr": "Tensor.reshape",
}
NEEDED = {
    "torchscript": (),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "openvino": ("onnx", "onnxscript", "openvino"),
    "ncnn": ("ncnn", "pnnx"),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize(
    "kind",
    [
        "torchscript",
        pytest.param("onnx", marks=pytest.mark.slow),
        pytest.param("openvino", marks=pytest.mark.slow),
        pytest.param("ncnn", marks=pytest.mark.slow),
    ],
)
def test_a_graph_computes_what_the_net_does(kind: str, name: str, tmp_path: Path) -> None:
    if any(importlib.util.find_spec(package) is None for package in NEEDED[kind]):
        pytest.skip("needs the extra `export` or `openvino`")
    net: Any = lively(GENERATORS[name](scale=2)).requires_grad_(False)
    checkpoint: Any = SimpleNamespace(normalise=None)
    trained = TrainedGenerator(net=net, scale=2, channels=3, description={}, checkpoint=checkpoint)
    if kind == "ncnn" and name in NCNN_REFUSES:
        with pytest.raises(ValueError, match=f"ncnn.*{NCNN_REFUSES[name]}"):
            file_format_of(kind).encode(trained, {})
        return
    for suffix, content in file_format_of(kind).encode(trained, {}).items():
        (tmp_path / "net").with_suffix(suffix).write_bytes(content)
    run = file_format_of(kind).load((tmp_path / "net").with_suffix(file_format_of(kind).parts[0]))
    for batch, height, width in SIZES:
        image = noise(batch, 3, height, width)
        expected = net(image)
        # Two rounding errors of fp32 in some thousand products, in units of the largest value.
        assert (run(image) - expected).abs().max() <= 1e-4 * expected.abs().max()
