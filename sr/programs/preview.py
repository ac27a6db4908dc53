"""A look at a degradation: a sheet of samples, histograms, records and times."""

import json
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version

import cv2
import numpy as np
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from sr.cli.argument_types import check_types
from sr.cli.errors import readable_errors
from sr.cli.hydra_errors import explain_hydra
from sr.config import PreviewConfig, check_least, check_root_keys
from sr.degradations.pipeline import Degradation
from sr.degradations.preview.pictures import draw_histograms, draw_sheet
from sr.degradations.preview.samples import (
    Cutting,
    difference,
    draw_samples,
    format_timing,
    read_records,
    repeat,
    timing,
    write_records,
)
from sr.ops.normalisation import normalisation
from sr.pictures.writing import write_png

DRAWS = 2000  # for the histograms; they need no images
bar = partial(tqdm, leave=False, disable=None)  # on a terminal alone
REPLAY_KEYS = ("hr_dir", "out_dir", "replay", "trust")  # the file of records holds all the others


def main(cfg: DictConfig) -> None:
    """Draw samples, or repeat recorded ones, as the composed configuration says."""
    cv2.setNumThreads(0)  # as in the loader processes of a training
    with readable_errors(explain_hydra):
        if cfg.replay:
            refuse_other_keys(HydraConfig.get().overrides.task)
            print(replay(cfg))
        else:
            print(preview(cfg))


def refuse_other_keys(overrides: Sequence[str]) -> None:
    """Raises ValueError for keys that a replay would ignore."""
    useless = [entry for entry in overrides if entry.lstrip("+~").split("=")[0] not in REPLAY_KEYS]
    if useless:
        raise ValueError(
            f"replay takes everything but hr_dir, out_dir and trust from its file: drop {', '.join(useless)}"
        )


def preview(cfg: DictConfig) -> str:
    """Draw samples and write all four files.

    Returns:
        The text to print.

    Raises:
        ValueError: names the key and the value.
    """
    check(cfg)
    check_types({"degradation": OmegaConf.to_container(cfg.degradation, resolve=True)})
    degradation: Degradation = instantiate(cfg.degradation)
    content: Any = OmegaConf.to_container(cfg)
    by = normalisation(content["normalise"], key="normalise")
    by.check(channels=cfg.channels, key="normalise")
    cutting = Cutting(
        seed=cfg.seed,
        scale=degradation.scale,
        channels=cfg.channels,
        hr_patch_size=cfg.hr_patch_size,
        margin=degradation.margin,
        normalise=by.content,
    )
    if cutting.hr_patch_size < 1 or cutting.hr_patch_size % cutting.scale:
        raise ValueError(f"hr_patch_size={cfg.hr_patch_size} must be a multiple of scale={cutting.scale}")
    hr_dir, out_dir = Path(cfg.hr_dir).expanduser(), Path(cfg.out_dir)
    samples = draw_samples(hr_dir, degradation=degradation, count=cfg.count, cutting=cutting)
    times = timing(samples)
    out_dir.mkdir(parents=True, exist_ok=True)
    write_png(out_dir / "sheet.png", draw_sheet(samples, scale=cutting.scale))
    numbers = bar(range(DRAWS), unit="draw", desc="drawing parameters")
    draws = [degradation.draw(np.random.default_rng((cfg.seed, number))) for number in numbers]
    draw_histograms(draws, out_dir / "histograms.png")
    write_records(out_dir / "records.json", samples, cutting=cutting)
    (out_dir / "timing.json").write_text(json.dumps(times, indent=2) + "\n")
    return (
        f"{format_timing(times, cutting=cutting)}\n\n"
        f"samples:    {out_dir / 'sheet.png'}\n"
        f"parameters: {out_dir / 'histograms.png'} ({DRAWS} draws)\n"
        f"records:    {out_dir / 'records.json'}\n"
        f"timing:     {out_dir / 'timing.json'}"
    )


def replay(cfg: DictConfig) -> str:
    """Make recorded samples again and draw their sheet.

    Returns:
        The text to print: the samples that differ from their records.

    Raises:
        ValueError: the file holds no records, or those of another version, or an image is not there or not of its size.
    """
    check(cfg)
    cutting, entries = read_records(Path(cfg.replay).expanduser(), trust=list(cfg.trust))
    hr_dir = Path(cfg.hr_dir).expanduser()
    shown = bar(entries, unit="sample", desc="samples")
    samples = [repeat(entry, hr_dir=hr_dir, cutting=cutting) for entry in shown]
    sheet = Path(cfg.out_dir) / "sheet.png"
    write_png(sheet, draw_sheet(samples, scale=cutting.scale))
    changes = [
        f"  #{number} {entry.file}: {change}"
        for number, (entry, sample) in enumerate(zip(entries, samples, strict=True))
        if (change := difference(entry, sample.recorded))
    ]
    if changes:
        found = "\n".join([f"{len(changes)} of {len(samples)} samples differ from the records:", *changes])
    else:
        found = f"all {len(samples)} samples give the recorded LR"
    return f"{found}\n\nsamples: {sheet}"


def check(cfg: DictConfig) -> None:
    """Raises ValueError for a root key that is unknown, missing or out of range."""
    check_root_keys(cfg, PreviewConfig)
    if OmegaConf.is_missing(cfg, "hr_dir"):
        raise ValueError("hr_dir is missing: name a directory of HR images, hr_dir=<directory>")
    check_least(cfg, count=1, seed=0, scale=1, channels=1)
