"""Checkpoints -> benchmark sets -> tables, JSON, CSV, pictures and a report: `python evaluate.py --help`."""

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version

import hydra
from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf

from sr.cli.argument_types import check_types
from sr.cli.command_line import check_command_line
from sr.cli.errors import ROOT, readable_errors
from sr.config import EvaluateConfig, changed_keys, check_least, check_root_keys, register_schemas
from sr.evaluation.benchmark import benchmark
from sr.evaluation.candidates import BASELINE, load_candidates
from sr.evaluation.description import describe_protocol
from sr.evaluation.gallery import Gallery
from sr.evaluation.lr_origin import lr_origin
from sr.evaluation.measures import pick_measures
from sr.evaluation.outputs import as_text, write_files
from sr.evaluation.result import Evaluation
from sr.evaluation.sets import EvaluationSet, find_sets
from sr.evaluation.summary import summarise
from sr.ops.hardware import pick_device


@hydra.main(version_base="1.3", config_path="conf", config_name="evaluate")
def main(cfg: DictConfig) -> None:
    with readable_errors():
        print(as_text(evaluate(cfg), Path(cfg.out_dir)))


def evaluate(cfg: DictConfig) -> Evaluation:
    """Everything but the printing of tables."""
    check_root_keys(cfg, EvaluateConfig)
    check_least(cfg, scale=1, channels=1, seed=0, draws=1, squeeze=1, report_images=0)
    alphas, perceptual = as_list(cfg, "alphas", of="0,0.5,1"), as_list(cfg, "perceptual", of="lpips,dists")
    files = checkpoints(cfg)
    candidates = load_candidates(files, scale=cfg.scale, alphas=alphas)
    for line in candidates.files.values():
        print(line)
    cfg.scale, cfg.channels = candidates.scale, candidates.channels or cfg.channels
    if cfg.channels != 3 and cfg.protocol == "validation":
        cfg.metric.spaces = ["channels"]  # there is no luma of other images
    check_types({"degradation": plain(cfg.degradation), "metric": plain(cfg.metric)})
    device, sweep = pick_device(cfg.device), bool(candidates.alphas)
    metric = instantiate(cfg.metric)
    measures = pick_measures(
        metric,
        perceptual=perceptual or [],
        sweep=sweep,
        channels=cfg.channels,
        device=device,
    )
    sets = open_sets(cfg)
    for images in sets.values():
        images.check(smallest=max(measure.smallest for measure in measures))
    nets, out_dir = candidates.nets, Path(cfg.out_dir)
    gallery = Gallery(directory=out_dir, sets=sets, models=list(nets), baseline=nets[BASELINE]())
    values = benchmark(nets=nets, sets=sets, measures=measures, gallery=gallery, device=device)
    protocol = describe_protocol(
        name=cfg.protocol,
        changed=changed_keys(cfg, ROOT / "conf" / "protocol" / f"{cfg.protocol}.yaml"),
        metric=metric,
        measures=measures,
        scale=cfg.scale,
        lr=lr_origin(
            lr_dir=cfg.lr_dir,
            squeeze=cfg.squeeze,
            degradation=plain(cfg.degradation),
            is_random=any(each.is_random for each in sets.values()),
            seed=cfg.seed,
            draws=cfg.draws,
        ),
    )
    evaluation = summarise(
        values,
        protocol=protocol,
        checkpoints=files,
        measures=measures,
        alphas=candidates.alphas,
        draws=cfg.draws,
    )
    write_files(evaluation, gallery, out_dir, report_images=cfg.report_images)
    return evaluation


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


def as_list(cfg: DictConfig, key: str, *, of: str) -> list[Any] | None:
    """Raises ValueError for anything but a list or null."""
    if cfg[key] is not None and not isinstance(cfg[key], ListConfig):
        raise ValueError(f"{key}={cfg[key]} is no list: write '{key}=[{of}]'")
    values: list[Any] | None = plain(cfg[key])
    return values


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


def plain(node: Any) -> Any:
    """A node of the configuration as lists, dicts and values."""
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


if __name__ == "__main__":
    register_schemas()
    with readable_errors():
        check_command_line(sys.argv[1:])
        main()
