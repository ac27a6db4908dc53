"""What a file says of itself."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open

from sr.archs.srvgg import SRVGGNetCompact
from sr.commands.export import parse
from sr.programs.export import run

Write = Callable[..., Path]  # see conftest.py


def metadata(ckpt: Path, *options: str) -> dict[str, str]:
    out = ckpt.with_suffix(".safetensors")
    run(parse(["--ckpt", str(ckpt), "--format", "safetensors", "--out", str(out), *options]))
    with safe_open(out, framework="pt") as file:
        found: dict[str, str] = file.metadata()
    assert len(found.pop("sr_sha256")) == 64
    return found


def test_a_net_of_a_run_says_all_that_is_known(write: Write) -> None:
    found = metadata(write("compact"), "--license", "CC-BY-4.0")
    description = json.loads(found.pop("sr_generator"))
    assert json.loads(found.pop("sr_sizes")) == {"scale": 4, "channels": 3}
    assert description["_target_"] == "sr.archs.srvgg.SRVGGNetCompact"
    assert (description["num_conv"], description["skip"]) == (2, "nearest")
    assert json.loads(found.pop("degradation")) == {
        "_target_": "sr.degradations.bicubic.BicubicDegradation",
        "scale": 4,
    }
    assert json.loads(found.pop("losses")) == {"l1": 1.0, "gan": 0.05}
    assert json.loads(found.pop("metrics")) == {"psnr_y": 30.5}
    version = found.pop("exported_by")
    assert version.startswith("sr-lightning ")
    assert found == {
        "title": "experiment_0 SRVGGNetCompact x4",
        "architecture": "SRVGGNetCompact",
        "scale": "4",
        "channels": "3",
        "license": "CC-BY-4.0",
        "checkpoint": "net.ckpt",
        "dialect": "checkpoint of a run",
        "weights": "state_dict / generator_ema",
        "averaged": "yes",
        "experiment": "experiment_0",
        "model": "GANModule",
        "gan_loss": "RelativisticAverageGANLoss",
        "data": "FolderData",
        "data_files": "96",
        "data_sha256": "c0ffee",
        "iteration": "400",
        "epoch": "3",
        "trained_by": "sr-lightning 0.1.0",
        "git_revision": "0123abc",
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": "srvggnetcompact-x4",
        "modelspec.implementation": "sr-lightning",
        "modelspec.title": "experiment_0 SRVGGNetCompact x4",
        "modelspec.license": "CC-BY-4.0",
    }


def test_what_a_stranger_s_file_does_not_tell_is_left_out(tmp_path: Path) -> None:
    net = SRVGGNetCompact(scale=2, num_feat=8, num_conv=1)
    torch.save({"params": net.state_dict()}, tmp_path / "community.pth")
    found = {key: value for key, value in metadata(tmp_path / "community.pth").items() if "." not in key}
    assert set(found) == {
        "title",
        "architecture",
        "scale",
        "channels",
        "exported_by",
        "checkpoint",
        "dialect",
        "weights",
        "averaged",
        "sr_generator",
        "sr_sizes",
    }
    assert found["title"] == "community SRVGGNetCompact x2"
    assert found["averaged"] == "no"


def test_an_interpolated_net_names_both_and_has_the_metrics_of_neither(write: Write) -> None:
    first, second = write("compact", seed=0, file="a.ckpt"), write("compact", seed=1, file="b.ckpt")
    found = metadata(first, "--interpolate-with", str(second), "--alpha", "0.25")
    assert found["alpha"] == "0.25"
    assert found["title"] == "experiment_0 + experiment_1 SRVGGNetCompact x4"
    assert (found["first.checkpoint"], found["second.checkpoint"]) == ("a.ckpt", "b.ckpt")
    assert (found["first.experiment"], found["second.experiment"]) == ("experiment_0", "experiment_1")
    assert found["modelspec.merged_from"] == "a.ckpt, b.ckpt"
    assert not [key for key in found if "metrics" in key or key == "checkpoint"]
