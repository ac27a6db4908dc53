"""A pair of files as Upscayl takes them, and refusals of what it would take for something else."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sr.commands.export import parse
from sr.export.formats import file_format_of
from sr.export.half import rounded
from sr.export.upscayl import check_upscayl
from sr.programs.export import run
from sr.weights.generator import load_generator

Write = Callable[..., Path]  # see conftest.py


@pytest.mark.skipif(importlib.util.find_spec("ncnn") is None, reason="needs ncnn and pnnx")
def test_a_folder_of_models_in_fp16(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ckpt, out = write("compact"), tmp_path / "models" / "photo-x4.param"
    run(parse(["--ckpt", str(ckpt), "--format", "upscayl", "--out", str(out)]))
    assert sorted(path.name for path in out.parent.iterdir()) == ["photo-x4.bin", "photo-x4.param"]
    assert "weights in fp16: differ from those in fp32 by" in capsys.readouterr().out
    layers = [line.split() for line in out.read_text().splitlines()[2:]]
    assert (layers[0][0], layers[0][-1]) == ("Input", "data")
    assert "output" in layers[-1]
    image = torch.rand(1, 3, 11, 16, generator=torch.Generator().manual_seed(0))
    found = file_format_of("upscayl").load(out)(image)
    torch.testing.assert_close(found, rounded(load_generator(ckpt), "fp16").net(image), rtol=0, atol=1e-4)


def check(
    name: str, *, folder: str = "models", scale: int = 4, channels: int = 3, normalise: Any = None
) -> None:
    trained: Any = SimpleNamespace(scale=scale, channels=channels, normalise=normalise, name="Net")
    check_upscayl(Path(folder, name), trained)


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("photo-x4.param", 4),
        ("4x_photo.param", 4),
        ("Photo_X2.param", 2),
        ("photo-3x.param", 3),
        ("RealESRGAN_x4plus.param", 4),
    ],
)
def test_names_with_the_scale_alone(name: str, scale: int) -> None:
    check(name, scale=scale)


@pytest.mark.parametrize(
    ("name", "scale", "said"),
    [
        ("photo.param", 4, "no factor"),
        ("photo-x4.param", 2, "x4"),
        ("v2x4.param", 4, "x2, x4"),  # Upscayl would read 2x
        ("v1x3.param", 3, "x1, x3"),
    ],
)
def test_names_from_which_another_scale_would_be_read(name: str, scale: int, said: str) -> None:
    with pytest.raises(ValueError, match=rf"which has {said}: for this net it must have x{scale} alone"):
        check(name, scale=scale)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"folder": "out"},
            r"--out=out/photo-x4\.param: .* the name models alone: name out/models/photo-x4\.param",
        ),
        ({"scale": 1}, "x2, x3 and x4, and this Net is for x1"),
        ({"scale": 8}, "x2, x3 and x4, and this Net is for x8"),
        ({"channels": 1}, r"RGB in \[0, 1\], and this Net was trained with 1 channel\(s\)"),
        ({"normalise": {"low": 0, "high": 1}}, "was trained with data.normalise"),
    ],
)
def test_what_upscayl_cannot_use(other: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check("photo-x4.param", **other)
