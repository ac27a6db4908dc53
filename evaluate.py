"""Checkpoints -> benchmark sets -> tables, JSON, CSV, pictures and a report: `python evaluate.py --help`."""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version

import hydra
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from sr.benchmark import Measure, benchmark, pick_device
from sr.breakdown import format_breakdown
from sr.candidates import BASELINE, Candidates, load_candidates
from sr.comparison import draw_comparison
from sr.config import ROOT, EvaluateConfig, changed_keys, check_root_keys, readable_errors, register_schemas
from sr.data.evaluation_sets import EvaluationSet, find_sets
from sr.gallery import Gallery
from sr.metrics.perceptual import Perceptual
from sr.metrics.protocol import Protocol
from sr.metrics.sharpness import Sharpness
from sr.report.page import write_report
from sr.summary import INTERVAL
from sr.tables import format_differences, format_protocol, format_table, write_csv
from sr.tradeoff import draw_tradeoff, format_tradeoff, tradeoff, write_tradeoff_csv


@hydra.main(version_base="1.3", config_path="conf", config_name="evaluate")
def main(cfg: DictConfig) -> None:
    report = evaluate(cfg)
    parts = [
        format_protocol(report),
        format_table(report),
        format_differences(report),
        format_breakdown(report),
    ]
    if "tradeoff" in report:
        parts.append(format_tradeoff(report["tradeoff"]))
        parts.append(export_command(cfg))
    print("\n\n".join(part for part in parts if part), end="\n\n")
    for file in (
        "metrics.json",
        "per_image.csv",
        "comparison.png",
        "tradeoff.png",
        "tradeoff.csv",
        "report.html",
    ):
        if (Path(cfg.out_dir) / file).exists():
            print(Path(cfg.out_dir) / file)


def evaluate(cfg: DictConfig) -> dict[str, Any]:
    """Everything but the printing of tables; returns what `metrics.json` holds."""
    check_root_keys(cfg, EvaluateConfig)
    candidates = load_candidates(checkpoints(cfg), scale=cfg.scale, alphas=plain(cfg.alphas))
    for line in candidates.files.values():
        print(line)
    cfg.scale, cfg.channels = candidates.scale, candidates.channels or cfg.channels
    if cfg.channels != 3 and cfg.protocol == "validation":
        cfg.metric.spaces = ["channels"]  # there is no luma of other images
    protocol, device = instantiate(cfg.metric), pick_device(cfg.device)
    protocol.check_channels(cfg.channels)
    measures = pick_measures(cfg, protocol, candidates, device=device)
    sets = open_sets(cfg)
    for images in sets.values():
        images.check(smallest=max(each.smallest for each in measures))
    out_dir = Path(cfg.out_dir)
    baseline = candidates.nets[BASELINE]()
    gallery = Gallery(directory=out_dir, sets=sets, models=list(candidates.nets), baseline=baseline)
    found = benchmark(nets=candidates.nets, sets=sets, measures=measures, gallery=gallery, device=device)
    report = {"protocol": describe(cfg, sets, measures), **found}
    if candidates.alphas:
        report["tradeoff"] = tradeoff(report, candidates.alphas)
    write(report, gallery, out_dir, report_images=cfg.report_images)
    return report


def checkpoints(cfg: DictConfig) -> dict[str, str]:
    """Name -> file; empty for the baseline alone."""
    if (cfg.ckpt is None) == (cfg.ckpts is None):
        raise ValueError("give either ckpt=FILE (or ckpt=bicubic) or 'ckpts={name: FILE, ...}'")
    if cfg.ckpt is not None:
        return {} if cfg.ckpt == BASELINE else {"model": str(cfg.ckpt)}
    return named_paths(cfg, "ckpts", of="file")


def named_paths(cfg: DictConfig, key: str, *, of: str) -> dict[str, str]:
    """Name -> path, as in hr_dirs={set5: DIR, set14: DIR}."""
    if cfg[key] is None:
        return {}
    if not isinstance(cfg[key], DictConfig) or not cfg[key]:
        raise ValueError(f"{key}={cfg[key]}: write {key}={{name: {of}, ...}}")
    return {str(name): str(path) for name, path in cfg[key].items()}


def pick_measures(
    cfg: DictConfig, protocol: Protocol, candidates: Candidates, *, device: torch.device
) -> list[Measure]:
    """The protocol's metrics, perceptual ones, and in a sweep without those the sharpness of edges."""
    measures: list[Measure] = [protocol]
    if cfg.perceptual:
        if cfg.channels != 3:
            raise ValueError(
                f"perceptual={list(cfg.perceptual)} needs RGB images, got {cfg.channels} channels"
            )
        border = protocol.crop_border
        measures.append(
            Perceptual(
                names=list(cfg.perceptual), prepare=protocol.prepare, crop_border=border, device=device
            )
        )
    elif candidates.alphas:
        measures.append(Sharpness(prepare=protocol.prepare))
    return measures


def open_sets(cfg: DictConfig) -> dict[str, EvaluationSet]:
    """The sets to evaluate, by name."""
    return find_sets(
        hr_dir=cfg.hr_dir,
        hr_dirs=named_paths(cfg, "hr_dirs", of="directory"),
        lr_dir=cfg.lr_dir,
        squeeze=cfg.squeeze,
        degradation=instantiate(cfg.degradation),
        scale=cfg.scale,
        channels=cfg.channels,
        seed=cfg.seed,
        draws=cfg.draws,
    )


def describe(
    cfg: DictConfig, sets: Mapping[str, EvaluationSet], measures: Sequence[Measure]
) -> dict[str, Any]:
    """What was measured, for the report."""
    words: dict[str, Any] = {
        "name": cfg.protocol,
        "changed": changed_keys(cfg, ROOT / "conf" / "protocol" / f"{cfg.protocol}.yaml"),
    }
    for measure in measures:
        words |= measure.describe()
    words |= (
        {"interval": INTERVAL, "ckpt": cfg.ckpt}
        if cfg.ckpt
        else {"interval": INTERVAL, "ckpts": plain(cfg.ckpts)}
    )
    words |= {"scale": cfg.scale, "lr": cfg.lr_dir or plain(cfg.degradation)}
    if cfg.squeeze is not None:
        words["squeeze"] = cfg.squeeze
    if any(images.is_random for images in sets.values()):
        words |= {"seed": cfg.seed, "draws": cfg.draws}
    return words


def write(report: Mapping[str, Any], gallery: Gallery, out_dir: Path, *, report_images: int) -> None:
    """All files but the images of the models, which are there already."""
    (out_dir / "metrics.json").write_text(json.dumps(report, indent=2) + "\n")
    write_csv(report, out_dir / "per_image.csv")
    draw_comparison(report, gallery, out_dir / "comparison.png")
    if "tradeoff" in report:
        write_tradeoff_csv(report["tradeoff"], out_dir / "tradeoff.csv")
        draw_tradeoff(report["tradeoff"], out_dir / "tradeoff.png")
    if report_images:
        curve = out_dir / "tradeoff.png" if "tradeoff" in report else None
        write_report(report, gallery, out_dir / "report.html", images_per_set=report_images, curve=curve)


def export_command(cfg: DictConfig) -> str:
    """How to keep one net of a sweep."""
    first, second = checkpoints(cfg).values()
    middle = cfg.alphas[len(cfg.alphas) // 2]
    return (
        "one alpha as a file of its own:\n"
        f"python -m sr.export --ckpt {shlex.quote(first)} --interpolate-with {shlex.quote(second)} --alpha {middle:g}"
        " --format safetensors --out FILE"
    )


def plain(node: Any) -> Any:
    """A node of the configuration as lists, dicts and values."""
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


if __name__ == "__main__":
    register_schemas()
    with readable_errors():
        main()
