"""Any option of a group goes into any experiment: it builds, or we say in our own words why it cannot."""

import json
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest
from helpers import ROOT, compose_config, experiments, picture, write_vgg
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationKeyError

from sr.cli.argument_types import check_types
from sr.cli.errors import explain
from sr.config import TrainConfig, check_root_keys
from sr.data.pack.packing import find_originals, pack
from sr.data.shards.storage import Storage
from sr.pictures.writing import write_png
from sr.run.preflight import check_fit, check_groups, check_nets, check_trainer

GROUPS = ("generator", "discriminator", "loss", "gan_loss", "degradation", "data", "metric", "logger")
USED_TWICE = ("optimizer_g", "optimizer_d", "scheduler_g", "scheduler_d")
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
    return root


@pytest.fixture(scope="module")
def exchanges(files: Path) -> list[Exchange]:
    built: dict[str, Exception | None] = {}
    return [exchange for experiment in experiments() for exchange in exchanged(experiment, files, built)]


def options(key: str) -> list[str]:
    group = key.partition("_")[0] if key in USED_TWICE else key
    return sorted(path.stem for path in (ROOT / "conf" / group).glob("[!_]*.yaml"))


def exchanged(experiment: str, files: Path, built: dict[str, Exception | None]) -> Iterator[Exchange]:
    """Every option of every group, one at a time.

    To compose takes long, so several options come out of one composition, a group each, which must not touch the rest.
    """
    base = compose_config(f"experiment={experiment}", f"run_dir={files}/run")
    written = {key: raw(base, key) for key in base}
    for number in range(max(len(options(key)) for key in (*GROUPS, *USED_TWICE))):
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
            shrunk(base, files)
            if key == "metric":
                base.monitor = next(iter(instantiate(base.metric).quantities))
            yield Exchange(experiment, key, choice, node, error_of(base, built))
            base[key], base.monitor = original, monitor


def raw(cfg: DictConfig, key: Any) -> Any:
    """A node as it is written, interpolations and all."""
    node = cfg._get_node(key)
    return OmegaConf.to_container(node) if OmegaConf.is_config(node) else node


def shrunk(cfg: DictConfig, files: Path) -> None:
    """Small nets, VGG19 as far as its first layer, and paths for what has none."""
    for net in (cfg.generator, cfg.discriminator):
        for key, size in net.items():
            if str(key).startswith("num_") and isinstance(size, int):
                net[key] = min(size, 4)
    for term in cfg.loss.values():
        if "layers" in term.loss:
            term.loss.weights, term.loss.layers = str(files / "vgg.pth"), {"conv1_1": 1.0}
    for group in GROUPS:
        for key in OmegaConf.missing_keys(cfg[group]):
            folder = "shards" if key.endswith("url") else f"lr{cfg.scale}" if "_lr_" in key else "hr"
            OmegaConf.update(cfg, key, str(files / folder))


def error_of(cfg: DictConfig, built: dict[str, Exception | None]) -> Exception | None:
    """What a run ends in before it begins, asked in the order of train.py; what equals another is not built again."""
    try:
        plain: Any = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except InterpolationKeyError as error:
        return error
    parts = {key: json.dumps(node) for key, node in plain.items()}
    sizes = parts["discriminator"], plain["data"]["hr_patch_size"], plain["data"]["batch_size"]
    quick = OmegaConf.create(plain)  # without interpolations, which take most of the time
    for part, build in (
        (str(parts), check_all),
        (parts["data"], lambda cfg: instantiate(cfg.data)),
        (str((parts["model"], sizes)), lambda cfg: check_fit(cfg, instantiate(cfg.model))),
        (parts["callbacks"], lambda cfg: instantiate(cfg.callbacks)),
        (parts["logger"], lambda cfg: instantiate(cfg.logger)),
    ):
        if part not in built:
            built[part] = caught(build, quick)
        if built[part]:
            return built[part]
    return None


def check_all(cfg: DictConfig) -> None:
    check_root_keys(cfg, TrainConfig)
    plain: Any = OmegaConf.to_container(cfg)
    check_types(plain)
    check_trainer(cfg.trainer)
    check_nets(cfg)
    check_groups(cfg)


def caught(build: Callable[[DictConfig], object], cfg: DictConfig) -> Exception | None:
    try:
        build(cfg)
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


def test_what_does_not_go_together_is_said_in_our_words(exchanges: list[Exchange]) -> None:
    for each in exchanges:
        if isinstance(each.error, InterpolationKeyError):
            assert "which this configuration does not have" in str(explain(each.error)), each
        elif each.error is not None:
            assert is_ours(each.error), each
            assert explain(each.error), each


def test_every_option_goes_with_an_experiment(exchanges: list[Exchange]) -> None:
    """But for a generator without parameters, which evaluate.py alone has a use for."""
    fit = {(each.key, each.choice) for each in exchanges if each.error is None}
    for each in exchanges:
        if (each.key, each.choice) not in fit:
            assert "has nothing to train" in str(each.error), each


def test_an_exchanged_option_keeps_its_own_numbers(exchanges: list[Exchange]) -> None:
    """An experiment sets the lengths and sizes of the data; no other group gets anything from it."""
    nodes: dict[tuple[str, str], Any] = {}
    for each in exchanges:
        if each.key != "data":
            assert each.node == nodes.setdefault((each.key, each.choice), each.node), each
