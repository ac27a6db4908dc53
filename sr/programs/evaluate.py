"""Checkpoints -> benchmark sets -> tables, JSON, CSV, pictures and a report."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version

from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from sr.cli.argument_types import check_types
from sr.cli.choices import Choice, changed_keys, check_named, find_choice
from sr.cli.errors import readable_errors
from sr.cli.hydra_errors import explain_hydra
from sr.config import EvaluateConfig, check_least, check_root_keys
from sr.evaluation.arguments import as_list, named_paths
from sr.evaluation.benchmark import benchmark
from sr.evaluation.candidates import BASELINE, Candidates, load_candidates, named_checkpoints
from sr.evaluation.description import ProtocolDescription, describe_protocol
from sr.evaluation.gallery import Gallery
from sr.evaluation.lr_origin import lr_origin
from sr.evaluation.metric import check_metric
from sr.evaluation.outputs import as_text, write_files
from sr.evaluation.result import Evaluation
from sr.evaluation.sets import EvaluationSet, find_sets
from sr.evaluation.summary import summarise
from sr.metrics.protocol import Protocol
from sr.metrics.sharpness import NAME as SHARPNESS
from sr.metrics.sharpness import Sharpness
from sr.ops.hardware import pick_device
from sr.ops.normalisation import normalisation
from sr.ops.three_bands import check_bands, checked_bands
from sr.zoo.shipped import shadowed


def main(cfg: DictConfig) -> None:
    """Evaluate what the composed configuration says, and print the tables."""
    with readable_errors(explain_hydra):
        evaluation = evaluate(cfg, find_choice("protocol", HydraConfig.get()))
        print(as_text(evaluation, Path(cfg.out_dir), trust=trusted(cfg)))


def evaluate(cfg: DictConfig, protocol: Choice) -> Evaluation:
    """Everything but the printing of tables: open, measure, summarise, write.

    Args:
        cfg: the composed configuration; its `scale` and `channels` become those of the checkpoints.
        protocol: the chosen option of the group `protocol`.
    """
    check_root_keys(cfg, EvaluateConfig)
    check_least(cfg, scale=1, channels=1, seed=0, draws=1, squeeze=1, report_images=0)
    check_named(cfg, "protocol", protocol)
    checkpoints = named_checkpoints(ckpt=cfg.ckpt, ckpts=plain(cfg.ckpts))
    for note in filter(None, map(shadowed, checkpoints.values())):
        print(note)
    candidates = open_candidates(cfg, checkpoints)
    device, out_dir = pick_device(cfg.device), Path(cfg.out_dir)
    metric = open_metric(cfg, sweep=bool(candidates.alphas))
    sets = open_sets(cfg)
    bands = shown_bands(cfg)
    for images in sets.values():
        images.check(smallest=metric.smallest)
    description = describe(cfg, protocol, metric=metric, sets=sets)
    nets = candidates.nets
    gallery = Gallery(directory=out_dir, sets=sets, models=list(nets), baseline=nets[BASELINE](), bands=bands)
    values = benchmark(nets=nets, sets=sets, metric=metric, gallery=gallery, device=device)
    evaluation = summarise(
        values,
        protocol=description,
        checkpoints=candidates.checkpoints,
        metric=metric,
        alphas=candidates.alphas,
        draws=cfg.draws,
    )
    write_files(evaluation, gallery, out_dir, report_images=cfg.report_images)
    return evaluation


def open_candidates(cfg: DictConfig, checkpoints: Mapping[str, str]) -> Candidates:
    """The nets to evaluate; sets `scale` and `channels` of the configuration to theirs."""
    alphas = as_list(plain(cfg.alphas), key="alphas", example="0,0.5,1")
    candidates = load_candidates(checkpoints, scale=cfg.scale, alphas=alphas, trust=trusted(cfg))
    for line in candidates.files.values():
        print(line)
    cfg.scale, cfg.channels = candidates.scale, candidates.channels or cfg.channels
    if candidates.channels is not None:
        cfg.normalise = _own_range(candidates.normalise, given=plain(cfg.normalise))
    normalisation(plain(cfg.normalise), key="normalise").check(channels=cfg.channels, key="normalise")
    check_types({"degradation": plain(cfg.degradation), "metric": plain(cfg.metric)})
    return candidates


def shown_bands(cfg: DictConfig) -> list[int] | None:
    """The bands that pictures show, said where images have others too. Raises ValueError where images lack them."""
    bands = checked_bands(as_list(plain(cfg.bands), key="bands", example="2,1,0"), key="bands")
    if bands is not None:
        check_bands(bands, channels=cfg.channels, key="bands")
    if bands is not None or cfg.channels not in (1, 3):
        shown = bands or list(range(min(cfg.channels, 3)))
        print(f"pictures show the bands {shown}, counted from 0, of {cfg.channels}")
    return bands


def _own_range(own: Mapping[str, Any] | None, *, given: Any) -> Mapping[str, Any] | None:
    """The normalisation of the checkpoints. Raises ValueError where the user gives one beside it."""
    if given is not None and normalisation(given, key="normalise").content != normalisation(own).content:
        raise ValueError(
            f"normalise={given}: the checkpoint was trained with data.normalise={own or 'null'}, which it keeps; leave"
            " normalise out"
        )
    return own


def open_metric(cfg: DictConfig, *, sweep: bool) -> Protocol:
    """The protocol with all further metrics; an interpolation without one is drawn against sharpness."""
    if sweep and not cfg.measure:
        cfg.measure = {SHARPNESS: {"_target_": f"{Sharpness.__module__}.{Sharpness.__qualname__}"}}
    metric = check_metric(instantiate(cfg.metric), measures=cfg.measure or {}, channels=cfg.channels)
    metric.by = normalisation(plain(cfg.normalise), key="normalise")
    return metric


def open_sets(cfg: DictConfig) -> dict[str, EvaluationSet]:
    """The sets to evaluate, by name."""
    return find_sets(
        hr_dir=cfg.hr_dir,
        hr_dirs=named_paths(plain(cfg.hr_dirs), key="hr_dirs", kind="directory"),
        lr_dir=cfg.lr_dir,
        lr_name=cfg.lr_name,
        squeeze=cfg.squeeze,
        degradation=instantiate(cfg.degradation),
        scale=cfg.scale,
        channels=cfg.channels,
        seed=cfg.seed,
        draws=cfg.draws,
        by=normalisation(plain(cfg.normalise), key="normalise"),
    )


def describe(
    cfg: DictConfig,
    protocol: Choice,
    *,
    metric: Protocol,
    sets: Mapping[str, EvaluationSet],
) -> ProtocolDescription:
    """The protocol in words, with what the user changed of it and the origin of LR."""
    return describe_protocol(
        name=protocol.name,
        changed=changed_keys(cfg, protocol.settings),
        metric=metric,
        scale=cfg.scale,
        lr=lr_origin(
            lr_dir=cfg.lr_dir,
            squeeze=cfg.squeeze,
            degradation=plain(cfg.degradation),
            is_random=any(images.is_random for images in sets.values()),
            seed=cfg.seed,
            draws=cfg.draws,
        ),
    )


def trusted(cfg: DictConfig) -> list[str]:
    """The packages whose nets the checkpoints may name."""
    return as_list(plain(cfg.trust), key="trust", example="my_package") or []


def plain(node: Any) -> Any:
    """A node of the configuration as lists, dicts and values, with interpolations resolved."""
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
