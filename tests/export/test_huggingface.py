"""A folder for the Hub: it is read again by us and by the Hub's own library, and replaces nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import torch
import yaml
from helpers import picture
from upscaling import upscale

from sr.commands.export import parse
from sr.export.hub_licenses import KNOWN, front_matter_of
from sr.programs import export as program
from sr.weights.described import build_described
from sr.weights.generator import load_generator

Write = Callable[..., Path]  # see conftest.py


def export(ckpt: Path, *options: str) -> Path:
    out = ckpt.with_name("hub") / "net"
    program.run(parse(["--ckpt", str(ckpt), "--format", "huggingface", "--out", str(out), *options]))
    return out


def test_the_folder_is_read_again(write: Write, tmp_path: Path) -> None:
    ckpt = write("compact")
    out = export(ckpt)
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    assert [path.name for path in out.parent.iterdir()] == ["net"]
    config = json.loads((out / "config.json").read_text())
    assert config["architectures"] == ["SRVGGNetCompact"]
    assert config["sr_sizes"] == {"scale": 4, "channels": 3}
    built = build_described(config["sr_generator"], trust=()).eval()
    expected, found = load_generator(ckpt), load_generator(out / "model.safetensors")
    built.load_state_dict(found.net.state_dict())
    image = torch.rand(1, 3, 9, 12, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for net in (built, found.net):
            torch.testing.assert_close(net(image), expected.net(image), rtol=0, atol=0)
    cv2.imwrite(str(tmp_path / "photo.png"), picture(12, 16))
    results = [tmp_path / "one", tmp_path / "other"]
    for file, folder in zip((ckpt, out / "model.safetensors"), results, strict=True):
        assert upscale(tmp_path / "photo.png", "--ckpt", file, "--out", folder, "--precision", "fp32") == 0
    assert (results[0] / "photo.png").read_bytes() == (results[1] / "photo.png").read_bytes()


def test_the_card_is_what_the_hub_reads(write: Write) -> None:
    hub = pytest.importorskip("huggingface_hub")
    text = (export(write("compact"), "--license", "CC0-1.0") / "README.md").read_text()
    data = hub.ModelCard(text).data
    assert (data.license, data.library_name, data.pipeline_tag) == (
        "cc0-1.0",
        "sr-lightning",
        "image-to-image",
    )
    assert data.tags == ["super-resolution", "srvggnetcompact", "x4"]
    assert data.metrics == ["psnr"]
    (result,) = data.eval_results
    assert (result.metric_type, result.metric_name, result.metric_value) == ("psnr", "psnr_y", 30.5)
    assert result.task_type == "image-to-image"
    assert data.model_name == "experiment_0 SRVGGNetCompact x4"
    assert "| psnr_y | 30.5 |" in text
    assert "| data_sha256 | c0ffee |" in text
    assert "somebody" not in text


def test_what_is_not_known_is_left_out(write: Write, tmp_path: Path) -> None:
    torch.save(load_generator(write("compact")).net.state_dict(), tmp_path / "plain.pth")
    text = (export(tmp_path / "plain.pth") / "README.md").read_text()
    front = yaml.safe_load(text.split("---\n")[1])
    assert set(front) == {"library_name", "pipeline_tag", "tags"}
    assert "Metrics" not in text


@pytest.mark.parametrize(
    ("license", "keys"),
    [
        (None, {}),
        ("MIT", {"license": "mit"}),
        ("CC-BY-NC-4.0", {"license": "cc-by-nc-4.0"}),
        ("for my friends", {"license": "other", "license_name": "for my friends"}),
    ],
)
def test_a_license_that_the_hub_does_not_know_has_a_name(license: str | None, keys: dict[str, str]) -> None:
    assert front_matter_of(license) == keys
    assert len(KNOWN.split()) == len(set(KNOWN.split()))


def test_no_folder_is_replaced(write: Write) -> None:
    ckpt = write("compact")
    out = export(ckpt)
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ValueError, match=r"--out=.*net exists: --format=huggingface makes a new folder"):
        export(ckpt)
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_a_folder_is_complete_or_not_there(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "largest_difference", lambda *_: 1.0)
    ckpt = write("compact")
    with pytest.raises(RuntimeError, match="nothing was kept"):
        export(ckpt)
    assert list((ckpt.parent / "hub").iterdir()) == []


def test_weights_in_half_the_size(write: Write) -> None:
    from safetensors.torch import load_file

    stored = load_file(export(write("compact"), "--dtype", "bf16") / "model.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.bfloat16}
