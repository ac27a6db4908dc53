"""Any option of a group goes into any experiment: it builds, or we say in our own words why it cannot."""

import json
import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from helpers import ROOT, compose_config, experiments, picture, smaller, write_vgg
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationKeyError
from spandrel_files import stand_in_for_torchvision
from torchvision_nets import write_features

from sr.archs.srvgg import SRVGGNetCompact
from sr.cli.argument_types import check_types
from sr.cli.errors import explain
from sr.cli.hydra_errors import explain_hydra
from sr.data.pack.packing import find_originals, pack
from sr.data.shards.storage import Storage
from sr.pictures.writing import write_png
from sr.run.preflight import build_unused_parts, check_fit, check_scales, check_trainer

GROUPS = (
    *("generator", "discriminator", "loss", "gan_loss", "gan_penalty"),
    *("degradation", "data", "metric", "logger"),
)
USED_TWICE = ("optimizer_g", "optimizer_d", "scheduler_g", "scheduler_d")
SHARE = 20  # the quick test tries one option of so many, each experiment others
FITS_ALL = "esrgan"  # a GAN with max_steps, and patches that every discriminator takes
SIDE = 400  # of the photographs: no less than any experiment's patches, and a multiple of the scales


@dataclass(frozen=True)
class Exchange:
    """One option in the place of another; `error` is what the configuration ends in, if it does."""

    experiment: str
    key: str
    choice: str
    node: Any
    error: Exception | None


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`hr`, `lr2` and `lr4` with the same photographs, `shards` of them, and `vgg.pth`."""
    root = tmp_path_factory.mktemp("files")
    for name in ("a", "b"):
        photo = picture(SIDE, SIDE)
        write_png(root / "hr" / f"{name}.png", photo)
        for scale in (2, 4):
            write_png(
                root / f"lr{scale}" / f"{name}.png", cv2.resize(photo, None, fx=1 / scale, fy=1 / scale)
            )
    originals, _ = find_originals(root / "hr", on_error="raise", progress=lambda paths: paths)
    pack(originals, Storage(str(root / "shards")), shard_bytes=10**6, shuffle=None)
    write_vgg(root / "vgg.pth")
    write_features("vgg16", root / "vgg16.pth")
    for scale in (2, 4):
        torch.save(
            SRVGGNetCompact(scale=scale, num_feat=4, num_conv=1).state_dict(), root / f"net_x{scale}.pth"
        )
    return root


@pytest.fixture(autouse=True)
def torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_for_torchvision(monkeypatch)


NODES: dict[tuple[str, str], Any] = {}  # the options of the experiments before, as they are written
OUTCOMES: dict[
    str, Exception | None
] = {}  # of everything that this process has built so far, by its resolved nodes


def options(key: str) -> list[str]:
    group = key.partition("_")[0] if key in USED_TWICE else key
    return sorted(path.stem for path in (ROOT / "conf" / group).glob("[!_]*.yaml"))


def exchanged(experiment: str, files: Path, *, share: int) -> Iterator[Exchange]:
    """Every option of every group, or one of `share` of them, one at a time.

    To compose takes long, so several options come out of one composition, a group each, which must not touch the rest.
    """
    base = compose_config(f"experiment={experiment}", f"run_dir={files}/run")
    written = {key: raw(base, key) for key in base}
    for key in GROUPS:
        shrink(base, key, files)
    plain = {key: resolved(base, key) for key in written}
    first = experiments().index(experiment) % share
    # Every option fits somewhere, and there all are tried.
    first, share = (0, 1) if experiment == FITS_ALL else (first, share)
    for number in range(first, max(len(options(key)) for key in (*GROUPS, *USED_TWICE)), share):
        chosen = {key: names[number] for key in (*GROUPS, *USED_TWICE) if number < len(names := options(key))}
        overrides = [
            f"{key.partition('_')[0]}@{key}={choice}" if key in USED_TWICE else f"{key}={choice}"
            for key, choice in chosen.items()
        ]
        cfg = compose_config(f"experiment={experiment}", f"run_dir={files}/run", *overrides)
        assert {key: written[key] for key in chosen} | {
            key: raw(cfg, key) for key in cfg if key not in chosen
        } == written
        for key, choice in chosen.items():
            original, monitor, node = base._get_node(key), base.monitor, raw(cfg, key)
            base[key] = cfg._get_node(key)
            shrink(base, key, files)
            changed = {key}
            if key == "metric":
                base.monitor = next(iter(instantiate(base.metric).quantities))
                changed = {key, "monitor"}
            yield Exchange(experiment, key, choice, node, error_of(base, plain=plain, changed=changed))
            base[key], base.monitor = original, monitor


def raw(cfg: DictConfig, key: Any) -> Any:
    """A node as it is written, interpolations and all."""
    node = cfg._get_node(key)
    return OmegaConf.to_container(node) if OmegaConf.is_config(node) else node._value()


def resolved(cfg: DictConfig, key: Any) -> Any:
    return OmegaConf.to_container(cfg[key], resolve=True) if OmegaConf.is_config(cfg[key]) else cfg[key]


def followers(cfg: DictConfig, changed: set[str]) -> set[Any]:
    """Root keys whose nodes take a value from one of these, or from one that does; and these."""
    texts, found = {key: json.dumps(raw(cfg, key)) for key in cfg}, set(changed)
    while more := {
        key
        for key, text in texts.items()
        if key not in found and any(f"${{{name}{end}" in text for name in found for end in ".}")
    }:
        found |= more
    return found


def shrink(cfg: DictConfig, key: str, files: Path) -> None:
    """Small nets, VGG19 as far as its first layer, and paths for what has none."""
    if key in GROUPS and "???" in json.dumps(raw(cfg, key)):
        for name in OmegaConf.missing_keys(cfg[key]):
            OmegaConf.update(cfg, name, str(files / path_for(name, cfg.scale)))
    if key in ("generator", "discriminator"):
        for name, size in cfg[key].items():
            cfg[key][name] = smaller(str(name), size)
    for term in cfg.loss.values() if key == "loss" else ():
        if "layers" in term.loss:
            term.loss.weights, term.loss.layers = str(files / "vgg.pth"), {"conv1_1": 1.0}
        elif "weights" in term.loss:
            term.loss.weights = str(files / "vgg16.pth")


def path_for(key: str, scale: int) -> str:
    """The file or folder that a key without a value asks for."""
    if key.endswith("checkpoint"):
        return f"net_x{scale}.pth"
    if key.endswith("url"):
        return "shards"
    return f"lr{scale}" if "_lr_" in key else "hr"


def error_of(cfg: DictConfig, *, plain: dict[Any, Any], changed: set[str]) -> Exception | None:
    """What a run ends in before it begins, asked in the order of train.py; what equals another is not built again.

    Args:
        cfg: the configuration.
        plain: the resolved nodes of the experiment itself.
        changed: the root keys that differ from it.
    """
    try:
        plain = plain | {key: resolved(cfg, key) for key in followers(cfg, changed)}
    except InterpolationKeyError as error:
        return error
    parts = {key: json.dumps(node) for key, node in plain.items()}
    sizes = {key: plain["data"][key] for key in ("hr_patch_size", "batch_size")}
    for part, build in (
        (str(parts), lambda: check_all(plain)),
        (parts["data"], lambda: instantiate(plain["data"])),
        (parts["model"] + parts["discriminator"] + str(sizes), lambda: build_model(plain, sizes)),
        (parts["callbacks"], lambda: instantiate(plain["callbacks"])),
        (parts["logger"], lambda: instantiate(plain["logger"])),
    ):
        if part not in OUTCOMES:
            OUTCOMES[part] = caught(build)
        if OUTCOMES[part]:
            return OUTCOMES[part]
    return None


def check_all(plain: dict[Any, Any]) -> None:
    # To make a node of everything takes longer than the checks, and these have no use for model and data.
    cfg = OmegaConf.create({key: node for key, node in plain.items() if key not in ("model", "data")})
    check_types(plain)
    check_trainer(cfg.trainer)
    check_scales(cfg)
    build_unused_parts(cfg)


def build_model(plain: dict[Any, Any], sizes: dict[str, int]) -> None:
    keys = ("model", "metric", "measure", "generator", "channels")
    check_fit(
        OmegaConf.create({"data": sizes} | {key: plain[key] for key in keys}), instantiate(plain["model"])
    )


def caught(build: Callable[[], object]) -> Exception | None:
    try:
        build()
    except Exception as error:
        return error
    return None


def is_ours(error: BaseException | None) -> bool:
    """Whether a message of ours is on the way from the mistake to the user."""
    while error is not None:
        last = traceback.extract_tb(error.__traceback__)[-1].filename
        if isinstance(error, ValueError | InterpolationKeyError) and last.startswith(str(ROOT / "sr")):
            return True
        error = error.__cause__
    return False


@pytest.mark.parametrize("experiment", experiments())
@pytest.mark.parametrize("share", [SHARE, pytest.param(1, marks=pytest.mark.slow)])
def test_every_option_builds_or_is_refused_in_our_words(experiment: str, share: int, files: Path) -> None:
    for each in exchanged(experiment, files, share=share):
        if isinstance(each.error, InterpolationKeyError):
            assert "which this configuration does not have" in str(explain(each.error, explain_hydra)), each
        elif each.error is not None:
            assert is_ours(each.error), each
            assert explain(each.error, explain_hydra), each
        # Somewhere every option fits, but for a generator without parameters, which evaluate.py alone has a use for,
        # for an optimizer whose average takes the place of the schedule that the recipe has, and for a penalty on a
        # discriminator with batch norm, which the recipe has.
        if experiment == FITS_ALL and each.error is not None:
            assert re.search(
                "has nothing to train|averages its weights|gan_penalty: .* has batch norm", str(each.error)
            ), each
        # An experiment sets the lengths and sizes of the data; no other group gets anything from it.
        if each.key != "data":
            assert each.node == NODES.setdefault((each.key, each.choice), each.node), each
