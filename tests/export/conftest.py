"""Small checkpoints as a run and as other tools leave them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sr.archs.rrdbnet import RRDBNet
from sr.archs.srresnet import SRResNet
from sr.archs.srvgg import SRVGGNetCompact

PROVENANCE = {
    "version": "0.1.0",
    "git_revision": "0123abc",
    "iteration": 400,
    "epoch": 3,
    "metrics": {"psnr_y": 30.5},
    "data": {"files": 96, "sha256": "c0ffee"},
}
NETS: dict[str, tuple[type[nn.Module], dict[str, Any]]] = {
    "rrdbnet_x4": (RRDBNet, {"scale": 4, "num_feat": 8, "num_block": 1, "num_grow_ch": 32}),
    "rrdbnet_x3": (RRDBNet, {"scale": 3, "num_feat": 8, "num_block": 1, "num_grow_ch": 32}),
    "rrdbnet_x2": (RRDBNet, {"scale": 2, "num_feat": 8, "num_block": 1, "num_grow_ch": 4}),
    "rrdbnet_x1": (RRDBNet, {"scale": 1, "num_feat": 8, "num_block": 1, "num_grow_ch": 4}),
    "compact": (SRVGGNetCompact, {"scale": 4, "num_feat": 8, "num_conv": 2}),
    "compact_bicubic": (SRVGGNetCompact, {"scale": 2, "num_feat": 8, "num_conv": 2, "skip": "bicubic"}),
    "srresnet": (SRResNet, {"scale": 2, "num_feat": 8, "num_block": 1}),
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a checkpoint of a run of one of `NETS`, and return its path."""
    return lambda name, **options: write_run(tmp_path, name, **options)


def write_run(folder: Path, name: str, *, seed: int = 0, file: str = "net.ckpt") -> Path:
    kind, arguments = NETS[name]
    torch.manual_seed(seed)
    net = kind(**arguments)
    for parameter in net.parameters():
        if parameter.dim() == 4:  # strong enough that every layer shows in the image
            nn.init.kaiming_normal_(parameter)
    config = {
        "name": f"experiment_{seed}",
        "run_dir": "/home/somebody/runs",
        "model": {"_target_": "sr.training.gan.GANModule", "gan_weight": 0.05},
        "loss": {"l1": {"_target_": "sr.losses.weighted.WeightedTerm", "weight": 1.0}},
        "gan_loss": {"_target_": "sr.losses.gan.RelativisticAverageGANLoss"},
        "degradation": {
            "_target_": "sr.degradations.bicubic.BicubicDegradation",
            "scale": arguments["scale"],
        },
        "data": {"_target_": "sr.data.origins.FolderData", "train_dir": "/home/somebody/photos"},
        "generator": {"_target_": f"{kind.__module__}.{kind.__name__}", **arguments},
    }
    weights = {f"generator_ema.{key}": value for key, value in net.state_dict().items()}
    torch.save({"state_dict": weights, "config": config, "provenance": PROVENANCE}, folder / file)
    return folder / file
