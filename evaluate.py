"""A checkpoint -> benchmark sets -> table, JSON and pictures: `python evaluate.py --help`."""

import json
import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version

import hydra
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from torch import nn

from sr.archs.bicubic import Bicubic
from sr.benchmark import benchmark, format_table
from sr.breakdown import format_breakdown
from sr.checkpoint import build_generator, read_checkpoint
from sr.config import EvaluateConfig, check_root_keys, readable_errors, register_schemas
from sr.data.sources import ImageFiles, match_pairs, sample_photographs
from sr.data.whole_images import WholeImages


@hydra.main(version_base="1.3", config_path="conf", config_name="evaluate")
def main(cfg: DictConfig) -> None:
    report = evaluate(cfg)
    parts = format_table(report), describe_lr(report["protocol"]), format_breakdown(report)
    print("\n\n".join(part for part in parts if part))
    print(f"\nnumbers: {Path(cfg.out_dir) / 'metrics.json'}\nimages:  {cfg.out_dir}/<set>/*.png")
    print(f"picture: {Path(cfg.out_dir) / 'comparison.png'}")


def evaluate(cfg: DictConfig) -> dict[str, Any]:
    """Everything but the printing; returns what `metrics.json` holds."""
    check_root_keys(cfg, EvaluateConfig)
    models: dict[str, nn.Module] = {}
    if cfg.ckpt != "bicubic":
        checkpoint = read_checkpoint(cfg.ckpt)
        models["model"], scale, cfg.channels = build_generator(checkpoint)
        if cfg.scale not in (None, scale):
            raise ValueError(f"scale={cfg.scale}, but {checkpoint.path} enlarges by {scale}")
        cfg.scale = scale
        print(f"{checkpoint.path}: {checkpoint.source}")
    cfg.scale = cfg.scale or 4
    models["bicubic"] = Bicubic(scale=cfg.scale)
    if cfg.channels != 3:
        cfg.metric.spaces = ["channels"]  # there is no luma of other images
    protocol = instantiate(cfg.metric)
    sets = open_sets(cfg)
    for images in sets.values():
        images.check(smallest=protocol.smallest)
    device = pick_device(cfg.device)
    report = benchmark(models=models, sets=sets, protocol=protocol, out_dir=Path(cfg.out_dir), device=device)
    report["protocol"] |= {
        "ckpt": cfg.ckpt,
        "scale": cfg.scale,
        "lr": cfg.lr_dir or OmegaConf.to_container(cfg.degradation, resolve=True),
    }
    if any(images.is_random for images in sets.values()):
        report["protocol"] |= {"seed": cfg.seed, "draws": cfg.draws}
    (Path(cfg.out_dir) / "metrics.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def open_sets(cfg: DictConfig) -> dict[str, WholeImages]:
    """The sets to evaluate, by name."""
    if cfg.hr_dir and cfg.hr_dirs:
        raise ValueError("give hr_dir=<directory> or hr_dirs={name: directory, ...}, not both")
    if cfg.hr_dirs is not None and not isinstance(cfg.hr_dirs, DictConfig):
        raise ValueError(f"hr_dirs={cfg.hr_dirs}: write hr_dirs={{name: directory, ...}}")
    if cfg.lr_dir and not cfg.hr_dir:
        raise ValueError(f"lr_dir={cfg.lr_dir} needs hr_dir=<directory> of the same names")
    degradation = instantiate(cfg.degradation)
    if cfg.lr_dir:
        hr = ImageFiles.from_directory(cfg.hr_dir, channels=cfg.channels)
        lr = ImageFiles.from_directory(cfg.lr_dir, channels=cfg.channels)
        hr, lr = match_pairs(hr, lr, scale=cfg.scale)
        return {Path(cfg.hr_dir).resolve().name: WholeImages(hr=hr, lr=lr, scale=cfg.scale, draws=cfg.draws)}
    directories = (
        {Path(cfg.hr_dir).resolve().name: cfg.hr_dir}
        if cfg.hr_dir
        else {str(k): v for k, v in (cfg.hr_dirs or {}).items()}
    )
    images = {
        name: ImageFiles.from_directory(path, channels=cfg.channels) for name, path in directories.items()
    } or {"samples": sample_photographs("val", channels=cfg.channels)}
    return {
        name: WholeImages(hr=files, scale=cfg.scale, degradation=degradation, seed=cfg.seed, draws=cfg.draws)
        for name, files in images.items()
    }


def describe_lr(protocol: Mapping[str, Any]) -> str:
    """Where LR came from, if it is not what published tables are about; else empty."""
    if "seed" not in protocol:
        return ""
    times = "one draw" if protocol["draws"] == 1 else f"{protocol['draws']} draws"
    how = stage_names(protocol["lr"].get("stages", {})) or protocol["lr"]["_target_"]
    text = (
        f"LR: {times} of each image with seed={protocol['seed']} by {how}. These are not the bicubic LR of published"
        " tables: compare with the same images, degradation, seed and draws alone."
    )
    return textwrap.fill(text, width=110)


def stage_names(stages: Mapping[str, Any]) -> str:
    """`first (blur, noise), last`: the stages of a degradation as it is configured, groups in brackets."""
    names = []
    for name, stage in stages.items():
        inner = stage.get("stages") if "_target_" in stage else stage
        names.append(f"{name} ({stage_names(inner)})" if inner else name)
    return ", ".join(names)


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
