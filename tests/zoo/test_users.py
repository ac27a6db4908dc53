"""The programs that take the name of a net in the package."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from evaluation_runs import evaluate_into
from helpers import compose_config, picture
from safetensors import safe_open
from upscaling import upscale

from sr.archs.srvgg import SRVGGNetCompact
from sr.commands import export as export_command
from sr.commands import upscale as upscale_command
from sr.evaluation.tradeoff import format_export
from sr.pictures.reading import read_header
from sr.pictures.writing import write_png
from sr.programs.export import run as export
from sr.run.normalise import settled_normalise
from sr.run.preflight import check_files
from sr.run.warm_start import warm_start
from sr.weights.generator import load_generator


@pytest.fixture
def photo(box: Path) -> Path:
    write_png(Path("photo.png"), picture(20, 24))
    return Path("photo.png").absolute()


def refusal(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        upscale_command.parse(["photo.png", "--out", "out", *arguments])
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_upscaling_takes_the_default_and_says_so(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert upscale(photo, "--out", "out", "--device", "cpu") == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert (
        first == "neither --ckpt nor --net: takes general-x4, a net in this package (--list-nets shows all)"
    )
    assert "general-x4.safetensors: " in second
    assert "no checksum" not in second
    assert read_header(Path("out/photo.png")).width == 96


def test_upscaling_takes_the_net_that_is_named(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert upscale(photo, "--net", "classic-x2", "--out", "out", "--device", "cpu") == 0
    assert "neither" not in capsys.readouterr().out
    assert read_header(Path("out/photo.png")).width == 48


def test_what_no_user_can_mean_is_refused(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = refusal(["--net", "classic"], capsys)
    assert words.endswith("--net: classic is no net in this package: choose from classic-x2, general-x4")
    words = refusal(["--net", "classic-x2", "--ckpt", "a.pth"], capsys)
    assert words.endswith("argument --ckpt: not allowed with argument --net")
    words = refusal(["--ckpt", "classic-x2"], capsys)
    assert words.endswith("classic-x2 is no file here; the net in this package is --net classic-x2")
    Path("classic-x2").touch()
    assert str(upscale_command.parse(["a.png", "--out", "o", "--ckpt", "classic-x2"]).ckpt) == "classic-x2"


def test_without_the_default_in_the_package_a_net_has_to_be_named(
    box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (box / "general-x4.safetensors").unlink()
    assert refusal([], capsys).endswith("one of the arguments --ckpt --net is required")


@pytest.mark.parametrize("command", [upscale_command, export_command])
def test_the_nets_are_listed(command: object, box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.parse(["--list-nets"])  # type: ignore[attr-defined]
    assert ended.value.code == 0
    assert "classic-x2" in capsys.readouterr().out


def test_an_export_keeps_the_licence(box: Path) -> None:
    given = ["--net", "classic-x2", "--format", "safetensors", "--out", "net.safetensors"]
    export(export_command.parse(given))
    with safe_open("net.safetensors", framework="pt") as file:
        assert file.metadata()["license"] == "MIT"
    export(export_command.parse([*given, "--license", "CC0-1.0"]))
    with safe_open("net.safetensors", framework="pt") as file:
        assert file.metadata()["license"] == "CC0-1.0"


def test_an_evaluation_takes_names(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_png(tmp_path / "hr" / "a.png", picture(32, 32))
    Path("classic-x2").mkdir()
    alone = evaluate_into(tmp_path, "ckpt=classic-x2", f"hr_dir={tmp_path}/hr", "report_images=0")
    assert list(alone.models) == ["classic-x2", "bicubic"]
    assert alone.checkpoints == {"classic-x2": "classic-x2"}
    assert "and not what lies here under that name, which is ./classic-x2" in capsys.readouterr().out
    given = ("ckpts={a: classic-x2, b: classic-x2}", f"hr_dir={tmp_path}/hr", "report_images=0")
    both = evaluate_into(tmp_path, *given)
    assert both.sets["hr"].means["a"] == both.sets["hr"].means["b"] == alone.sets["hr"].means["classic-x2"]
    with pytest.raises(FileNotFoundError, match=r"does not exist: .* choose from classic-x2, general-x4"):
        evaluate_into(tmp_path, "ckpt=classic", f"hr_dir={tmp_path}/hr")


def test_the_command_for_one_alpha_names_files(box: Path) -> None:
    curve = SimpleNamespace(sets={"hr": [SimpleNamespace(alpha=0.5)]})
    words = format_export(curve, {"a": "classic-x2", "b": f"{box}/general-x4.safetensors"})  # type: ignore[arg-type]
    assert f"--ckpt {box}/classic-x2.safetensors --interpolate-with {box}/general-x4.safetensors" in words


def test_a_training_starts_from_a_name(box: Path, caplog: pytest.LogCaptureFixture) -> None:
    check_files(compose_config("init_from=classic-x2"))
    assert not caplog.records
    model = SimpleNamespace(
        generator=SRVGGNetCompact(scale=2, num_feat=4, num_conv=1),
        generator_ema=SRVGGNetCompact(scale=2, num_feat=4, num_conv=1),
    )
    assert settled_normalise(None, saved=None, init_from="classic-x2") is None
    warm_start(model, init_from="classic-x2", init_discriminator_from=None, init_strict=True, generator={})
    expected = load_generator(box / "classic-x2.safetensors").net.state_dict()
    for key, value in model.generator_ema.state_dict().items():
        assert torch.equal(value, expected[key])
    Path("classic-x2").touch()
    with caplog.at_level(logging.WARNING):
        check_files(compose_config("init_from=classic-x2"))
    assert "init_from: classic-x2 is the net in this package" in caplog.text


def test_a_training_refuses_an_unknown_name(box: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"init_from: checkpoint clasic-x2 .* choose from classic-x2"):
        check_files(compose_config("init_from=clasic-x2"))
