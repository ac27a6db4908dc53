"""A checkpoint -> benchmark sets -> table, JSON and pictures: `python evaluate.py --help`."""

import json
import os
from pathlib import Path

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version

import hydra
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import nn

from sr.archs.bicubic import Bicubic
from sr.benchmark import benchmark, format_table
from sr.checkpoint import build_generator, read_checkpoint
from sr.config import readable_errors, register_schemas
from sr.data.sources import ImageFiles, match_pairs, sample_photographs
from sr.data.whole_images import WholeImages


@hydra.main(version_base="1.3", config_path="conf", config_name="evaluate")
def main(cfg: DictConfig) -> None:
    models: dict[str, nn.Module] = {}
    if cfg.ckpt != "bicubic":
        checkpoint = read_checkpoint(cfg.ckpt)
        models["model"], cfg.scale = build_generator(checkpoint)
        assert checkpoint.config is not None
        cfg.channels = checkpoint.config["channels"]
        print(f"{checkpoint.path}: {checkpoint.source}")
    models["bicubic"] = Bicubic(scale=cfg.scale)
    out_dir = Path(cfg.out_dir)
    report = benchmark(
        models=models,
        sets=open_sets(cfg),
        protocol=instantiate(cfg.metric),
        out_dir=out_dir,
        device=pick_device(cfg.device),
    )
    report["protocol"] |= {
        "ckpt": cfg.ckpt,
        "scale": cfg.scale,
        "lr": "files" if cfg.lr_dir else cfg.degradation["_target_"],
    }
    (out_dir / "metrics.json").write_text(json.dumps(report, indent=2) + "\n")
    print(format_table(report))
    print(f"\nnumbers: {out_dir / 'metrics.json'}\nimages:  {out_dir}/<set>/*.png")
    print(f"picture: {out_dir / 'comparison.png'}")


def open_sets(cfg: DictConfig) -> dict[str, WholeImages]:
    """The sets to evaluate, by name."""
    if cfg.hr_dir and cfg.hr_dirs:
        raise ValueError("give hr_dir=<directory> or hr_dirs={name: directory, ...}, not both")
    if cfg.lr_dir and not cfg.hr_dir:
        raise ValueError(f"lr_dir={cfg.lr_dir} needs hr_dir=<directory> of the same names")
    degradation = instantiate(cfg.degradation)
    if cfg.lr_dir:
        hr = ImageFiles.from_directory(cfg.hr_dir, channels=cfg.channels)
        lr = ImageFiles.from_directory(cfg.lr_dir, channels=cfg.channels)
        hr, lr = match_pairs(hr, lr, scale=cfg.scale)
        return {Path(cfg.hr_dir).name: WholeImages(hr=hr, lr=lr, scale=cfg.scale)}
    directories = {Path(cfg.hr_dir).resolve().name: cfg.hr_dir} if cfg.hr_dir else dict(cfg.hr_dirs)
    images = {
        name: ImageFiles.from_directory(path, channels=cfg.channels) for name, path in directories.items()
    } or {"samples": sample_photographs("val", channels=cfg.channels)}
    return {
        name: WholeImages(hr=files, scale=cfg.scale, degradation=degradation, seed=cfg.seed)
        for name, files in images.items()
    }


def pick_device(name: str) -> torch.device:
    """`auto` is the GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device={name}: choose auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={name}: this machine has no GPU that torch can use")
    return device


if __name__ == "__main__":
    register_schemas()
    with readable_errors():
        main()
