"""Weights in 16 bits: the file has them, and computes what the net with the same weights does."""

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sr.commands.export import parse
from sr.export.formats import file_format_of
from sr.export.half import rounded
from sr.programs.export import run
from sr.weights.generator import load_generator

Write = Callable[..., Path]  # see conftest.py
ONNX = pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="needs the extra `export`")


def export(ckpt: Path, name: str, dtype: str) -> Path:
    out = ckpt.with_name(f"half{file_format_of(name).parts[0]}")
    run(parse(["--ckpt", str(ckpt), "--format", name, "--out", str(out), "--dtype", dtype]))
    return out


@pytest.mark.parametrize("dtype", ["fp16", "bf16"])
def test_a_file_has_half_the_size_and_the_nearest_weights(
    write: Write, dtype: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ckpt = write("rrdbnet_x4")
    kind = {"fp16": torch.float16, "bf16": torch.bfloat16}[dtype]
    stored = load_file(export(ckpt, "safetensors", dtype))
    exact = load_generator(ckpt).net.state_dict()
    assert {each.dtype for each in stored.values()} == {kind}
    for name, value in exact.items():
        assert torch.equal(stored[name], value.to(kind))
    # The check is of the net with these weights; what they cost is said beside it.
    said = capsys.readouterr().out
    assert "read again: differs from PyTorch by 0.0e+00" in said
    (cost,) = re.findall(rf"weights in {dtype}: differ from those in fp32 by (\S+) at most", said)
    assert 0 < float(cost) < 0.1


def test_pth_too(write: Write) -> None:
    ckpt = write("compact")
    content = torch.load(export(ckpt, "pth", "fp16"), weights_only=True)
    assert {each.dtype for each in content["params_ema"].values()} == {torch.float16}


@ONNX
def test_onnx_computes_in_fp16_with_input_and_output_in_fp32(write: Write) -> None:
    import onnx

    ckpt = write("compact_bicubic")
    out = export(ckpt, "onnx", "fp16")
    graph = onnx.load(out).graph
    ends = [each.type.tensor_type.elem_type for each in (*graph.input, *graph.output)]
    assert set(ends) == {onnx.TensorProto.FLOAT}
    weights = {each.data_type for each in graph.initializer if len(each.dims) == 4}
    assert weights == {onnx.TensorProto.FLOAT16}
    image = torch.rand(1, 3, 13, 18, generator=torch.Generator().manual_seed(0))
    found = file_format_of("onnx").load(out)(image)
    torch.testing.assert_close(found, load_generator(ckpt).net(image), rtol=0, atol=2e-2)


@pytest.mark.skipif(importlib.util.find_spec("ncnn") is None, reason="needs ncnn and pnnx")
def test_ncnn_reads_fp16_and_the_file_has_half_the_size(write: Write) -> None:
    """ncnn tells fp16 by a tag before the weights of each layer."""
    ckpt = write("rrdbnet_x4")
    exact, half = (
        export(ckpt, "ncnn", dtype).with_suffix(".bin").stat().st_size for dtype in ("fp32", "fp16")
    )
    assert 0.5 < half / exact < 0.56  # biases stay fp32
    image = torch.rand(1, 3, 13, 18, generator=torch.Generator().manual_seed(0))
    expected = rounded(load_generator(ckpt), "fp16").net(image)
    found = file_format_of("ncnn").load(ckpt.with_name("half.param"))(image)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize(("name", "dtype"), [("onnx", "bf16"), ("torchscript", "fp16"), ("ncnn", "bf16")])
def test_a_type_that_a_format_does_not_store_is_refused(write: Write, name: str, dtype: str) -> None:
    with pytest.raises(ValueError, match=rf"--dtype={dtype}: --format={name} stores fp32"):
        export(write("compact"), name, dtype)


def test_weights_that_fp16_cannot_hold_are_refused_by_name(write: Write, tmp_path: Path) -> None:
    state = load_generator(write("compact")).net.state_dict()
    state["body.0.bias"][0] = 1e5
    torch.save(state, tmp_path / "large.pth")
    with pytest.raises(
        ValueError, match=r"--dtype=fp16: body\.0\.bias has values up to 1e\+05: take bf16 or fp32"
    ):
        export(tmp_path / "large.pth", "safetensors", "fp16")
    assert not (tmp_path / "half.safetensors").exists()
    export(tmp_path / "large.pth", "safetensors", "bf16")
