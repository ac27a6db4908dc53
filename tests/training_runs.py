"""Whole runs of training in this process, and what they leave."""

import csv
from pathlib import Path

import torch
from helpers import compose_config, tiny, write_vgg

from sr.programs.train import train


def run(experiment: str, tmp_path: Path, *overrides: str, name: str = "run") -> Path:
    """Train in this process; returns the run directory."""
    vgg = write_vgg(tmp_path / "vgg.pth")
    run_dir = tmp_path / name
    train(compose_config(*tiny(experiment, run_dir, vgg), *overrides))
    return run_dir


def rows(run_dir: Path, column: str) -> list[tuple[int, float]]:
    """Iteration and value of each row of metrics.csv that has this column."""
    with (run_dir / "metrics.csv").open(newline="") as file:
        return [
            (int(row["iteration"]), float(row[column])) for row in csv.DictReader(file) if row.get(column)
        ]


def state(run_dir: Path, prefix: str, file: str = "last.ckpt") -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint whose names begin with `prefix`."""
    content = torch.load(run_dir / "checkpoints" / file, weights_only=True)
    return {key: value for key, value in content["state_dict"].items() if key.startswith(prefix)}


def alive(run_dir: Path, vgg: Path) -> list[str]:
    """Overrides of a run whose net answers with an image, and moves.

    A young RRDBNet answers black, and black equals black whatever is wrong; this one starts at bicubic.
    """
    arguments = [a for a in tiny("image_enhancement", run_dir, vgg) if not a.startswith("generator.num_")]
    net = [
        "generator=srvgg_compact",
        "generator.skip=bicubic",
        "generator.num_feat=8",
        "generator.num_conv=2",
    ]
    limits = ["trainer.max_steps=4", "trainer.max_epochs=-1", "data.iterations_per_epoch=4"]
    return [*arguments, *net, *limits, "optimizer_g.lr=1e-2"]
