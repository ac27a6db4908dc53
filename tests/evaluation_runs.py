"""Evaluations as the program does them, and nets that are small enough for a test."""

import json
from pathlib import Path

import torch
from helpers import ROOT, compose_config
from hydra import compose, initialize_config_dir
from safetensors.torch import save_file

from sr.archs.srvgg import SRVGGNetCompact
from sr.cli.choices import Choice, find_choice
from sr.config import register_schemas
from sr.evaluation.result import Evaluation
from sr.programs.evaluate import evaluate

METRICS = ["psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb", "mse"]  # of protocol=validation


def run_evaluation(*overrides: str) -> Evaluation:
    """What `python evaluate.py OVERRIDES` finds."""
    return evaluate(compose_config(*overrides, program="evaluate"), chosen_protocol(*overrides))


def chosen_protocol(*overrides: str) -> Choice:
    """The protocol that evaluate.py reads with these overrides."""
    register_schemas()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return find_choice("protocol", compose("evaluate", list(overrides), return_hydra_config=True).hydra)


def evaluate_into(tmp_path: Path, *overrides: str) -> Evaluation:
    """The same on the CPU, with `out` below `tmp_path` as its directory."""
    evaluation = run_evaluation(f"out_dir={tmp_path}/out", "device=cpu", *overrides)
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert written == json.loads(json.dumps(evaluation.content()))
    return evaluation


def write_checkpoint(path: Path) -> Path:
    """A checkpoint of a run of training, with an untrained net that enlarges by 4."""
    net = SRVGGNetCompact(num_feat=4, num_conv=1)
    description = {"_target_": "sr.archs.srvgg.SRVGGNetCompact", "num_feat": 4, "num_conv": 1}
    state = {f"generator_ema.{key}": value for key, value in net.state_dict().items()}
    torch.save({"state_dict": state, "config": {"scale": 4, "channels": 3, "generator": description}}, path)
    return path


def write_two_nets(folder: Path) -> str:
    """Two nets of one architecture, the second sharper than the first: an override of ckpts."""
    net = SRVGGNetCompact(num_feat=4, num_conv=1)
    first = {key: 0.1 * value for key, value in net.state_dict().items()}
    second = {key: 0.2 * value + 0.02 for key, value in net.state_dict().items()}
    save_file(first, folder / "first.safetensors")
    save_file(second, folder / "second.safetensors")
    return f"ckpts={{psnr: {folder}/first.safetensors, gan: {folder}/second.safetensors}}"
