"""Int8 by calibration on a folder of pictures: what is written, what is said, and what is refused."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from helpers import picture

from sr.commands.export import parse
from sr.ops.openvino_runtime import openvino_core
from sr.programs import export_int8
from sr.programs.export import run
from sr.upscale.engines import int8_cost
from sr.upscale.engines.engine import EngineError
from sr.upscale.engines.int8_cost import Cost
from sr.weights.generator import load_generator

Write = Callable[..., Path]  # see conftest.py


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in range(3):
        cv2.imwrite(str(folder / f"{seed}.png"), picture(64, 128, seed=seed))
    return folder


def export(ckpt: Path, *options: str, name: str = "openvino", dtype: str = "int8") -> Path:
    out = ckpt.with_name("out.xml" if name == "openvino" else f"out.{name}")
    run(parse(["--ckpt", str(ckpt), "--format", name, "--out", str(out), "--dtype", dtype, *options]))
    return out


def test_the_files_are_in_int8_and_their_distance_is_what_was_said(
    write: Write, photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nncf")
    monkeypatch.setattr(int8_cost, "LEAST", 20.0)  # random weights are far from any image
    ckpt = write("compact")
    out = export(ckpt, "--calibrate", str(photos))
    said = capsys.readouterr().out
    assert f"{photos}: 5 tiles of 3 picture(s) for the calibration, 1 others to measure the result" in said
    (decibels,) = re.findall(r"^int8: (\S+) dB from fp32 on 1 tiles", said, re.MULTILINE)
    assert re.search(
        r"^int8 .* \d\.\d\d of the time of torch, fp32 and \d\.\d\d of the time of", said, re.MULTILINE
    )
    model = openvino_core().read_model(out)
    assert {str(each.output(0).element_type) for each in model.get_ops() if _is_weight(each)} == {
        "<Type: 'int8_t'>"
    }
    assert [axis.is_dynamic for axis in model.input(0).partial_shape] == [True, False, True, True]
    assert model.get_rt_info(["model_card", "precision"]).value == "int8"
    image = torch.from_numpy(picture(40, 56, seed=7)).permute(2, 0, 1)[None] / 255
    found = torch.from_numpy(openvino_core().compile_model(model, "CPU")([image.numpy()])[0])
    error = (found - load_generator(ckpt).net(image)).square().mean()
    assert -10 * error.log10() == pytest.approx(float(decibels), abs=6)  # of another picture of the same kind
    assert str(photos) not in out.read_text()


def _is_weight(operation: Any) -> bool:
    """A kernel, and not its scales, which are one number for each filter."""
    shape = operation.output(0).partial_shape
    return bool(operation.get_type_name() == "Constant" and len(shape) == 4 and shape.get_min_shape()[2] > 1)


def test_what_is_too_coarse_is_not_kept(write: Write, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nncf")
    coarse = Cost(decibels=31.0, tiles=1, side=64, seconds=1.0, others={"torch, fp32": 2.0})
    monkeypatch.setattr(export_int8, "cost_of", lambda *_, **__: coarse)
    ckpt = write("compact")
    with pytest.raises(EngineError, match=r"too coarse for this net: 31\.0 dB"):
        export(ckpt, "--calibrate", str(photos))
    assert sorted(path.name for path in ckpt.parent.iterdir()) == ["net.ckpt", "photos"]


@pytest.mark.parametrize(
    ("options", "name", "dtype", "message"),
    [
        ((), "openvino", "int8", "--dtype=int8: int8 needs the pictures of --calibrate DIR"),
        (("--calibrate", "photos"), "openvino", "fp16", "--calibrate=photos is for --dtype=int8, not fp16"),
        (("--calibrate", "photos"), "onnx", "int8", "--dtype=int8: --format=onnx stores fp32, fp16$"),
        ((), "openvino", "bf16", "--dtype=bf16: --format=openvino stores fp32, fp16, int8"),
    ],
)
def test_options_that_do_not_go_together(
    write: Write, options: tuple[str, ...], name: str, dtype: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        export(write("compact"), *options, name=name, dtype=dtype)


def test_a_folder_without_pictures_is_named(write: Write, tmp_path: Path) -> None:
    pytest.importorskip("nncf")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"image directory .*empty has no image in it"):
        export(write("compact"), "--calibrate", str(tmp_path / "empty"))
