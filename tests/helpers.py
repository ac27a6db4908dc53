"""What several tests need."""

import importlib
import io
import logging
import runpy
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from processes import LIMIT, ROOT, finished, running

from sr.config import register_schemas
from sr.run.directory import register_resolvers

WITHOUT_CURVES = "~callbacks.curves"  # drawing them takes longer than a small run


def picture(height: int, width: int, *, seed: int = 0, channels: int = 3) -> np.ndarray:
    """A smooth random uint8 image with some edges: something that a net could learn from."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(height, width, channels)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3).reshape(height, width, channels)
    smooth += np.float32(0.1) * (smooth > 0)
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return np.asarray((smooth * 255).astype(np.uint8))


def run_program(
    *arguments: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None, timeout: float = LIMIT
) -> subprocess.CompletedProcess[str]:
    """Run train.py or evaluate.py, or Python with other arguments, as a user would."""
    with running([sys.executable, *arguments], cwd=cwd, env=env) as process:
        return finished(process, limit=timeout)


def run_here(*arguments: str) -> subprocess.CompletedProcess[str]:
    """As `run_program`, but in this process, which saves seconds: for a program that ends soon."""
    as_module = arguments[0] == "-m"
    name, *rest = arguments[as_module:]
    out, err, status = io.StringIO(), io.StringIO(), 0
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        patch.object(sys, "argv", [name, *rest]),
        # Hydra closes all handlers of before, and that of absl, which OpenVINO imports, would close pytest's stderr.
        patch.object(logging, "_handlerList", []),
    ):
        try:
            if as_module:
                importlib.import_module(name).main()
            else:
                runpy.run_path(str(ROOT / name), run_name="__main__")
        except SystemExit as ended:
            if isinstance(ended.code, str):  # which Python prints
                print(ended.code, file=err)
            status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def compose_config(*overrides: str, program: str = "train") -> DictConfig:
    """The configuration that the program would see; run_dir has to be given where it matters."""
    register_schemas()
    register_resolvers()
    places = ["run_dir=/nowhere"] if program == "train" else []
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return compose(program, overrides=[*places, *overrides])


def experiments() -> list[str]:
    """As a user names them: `esrgan`, `zoo/classic_x4`."""
    folder = ROOT / "conf" / "experiment"
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))


@cache
def procedural(experiment: str) -> DictConfig:
    """An experiment on procedural images; for reading only."""
    return compose_config(f"experiment={experiment}", "data=dead_leaves")


def tiny(experiment: str, run_dir: Path, vgg: Path) -> list[str]:
    """Overrides that make any experiment small enough for a test: two iterations on procedural images."""
    cfg = procedural(experiment)
    overrides = [
        f"experiment={experiment}",
        "data=dead_leaves",
        "init_from=null",  # fine-tuning would want a file
        f"run_dir={run_dir}",
        "logger=csv",
        WITHOUT_CURVES,
        "trainer.accelerator=cpu",
        "trainer.log_every_n_steps=1",
        "trainer.precision=32-true",  # the same numbers on every machine
    ]
    overrides += small_nets(cfg)
    overrides += ["data.num_images=2", "data.image_size=64", "data.hr_patch_size=32"]
    overrides += ["data.batch_size=2", "data.num_workers=0", "data.iterations_per_epoch=2"]
    overrides += ["trainer.max_steps=2", "trainer.max_epochs=1"]
    return [*overrides, *small_vgg(cfg, vgg)]


def small_nets(cfg: DictConfig) -> list[str]:
    """Overrides with which the nets are small, whatever they are."""
    return [
        f"{net}.{key}={smaller(str(key), size)}"
        for net in ("generator", "discriminator")
        for key, size in cfg[net].items()
        if smaller(str(key), size) != size
    ]


def smaller(key: str, size: Any) -> Any:
    """An argument of a small net: at most 4 features, blocks or layers, and a single short group of a transformer."""
    if key in ("depths", "num_heads"):
        return [min(size[0], 2)]
    if key in ("compress_ratio", "squeeze_factor"):  # which divide the features
        return min(size, 2)
    if key.startswith("num_") and isinstance(size, int):
        return min(size, 4)
    return 32 if key == "embed_dim" else size


def small_gan(run_dir: Path) -> list[str]:
    """Overrides of a run of three iterations per epoch whose discriminator wakes in the fourth."""
    net = ["generator.num_feat=8", "generator.num_conv=2", "discriminator.num_feat=4"]
    data = ["num_images=3", "image_size=64", "hr_patch_size=32", "batch_size=2", "num_workers=0"]
    settings = [
        "experiment=quickstart",
        f"run_dir={run_dir}",
        "logger=csv",
        WITHOUT_CURVES,
        "callbacks.samples.count=0",
        "trainer.accelerator=cpu",
        "trainer.precision=32-true",
        "trainer.log_every_n_steps=2",
        "data.iterations_per_epoch=3",
        "model.ramp.generator_only=3",
        "model.optimization.warmup_iterations=2",
    ]
    return [*settings, *net, *(f"data.{setting}" for setting in data)]


def same_state(one: dict[str, Any], other: dict[str, Any], *, sums: bool = True) -> bool:
    """Whether two checkpoints hold the same weights, optimizers, schedules and position, to the bit.

    `sums` of losses that wait for their log too.
    """
    keys = ("state_dict", "optimizer_states", "lr_schedulers", "global_step", "epoch", *["training"] * sums)
    return all(equal(one[key], other[key]) for key in keys)


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def small_vgg(cfg: DictConfig, vgg: Path) -> list[str]:
    """Overrides with which losses on features of VGG19 take conv1_1 of the file that `write_vgg` writes."""
    overrides = []
    for name, term in cfg.loss.items():
        if "layers" in term.loss:
            place = f"loss.{name}.loss"
            layers = [f"~{place}.layers.{layer}" for layer in term.loss.layers]
            overrides += [f"{place}.weights={vgg}", *layers, f"+{place}.layers.conv1_1=1.0"]
    return overrides


def write_vgg(path: Path) -> Path:
    """VGG19 weights as far as conv1_1."""
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(64, 3, 3, 3, generator=generator), torch.randn(64, generator=generator)
    torch.save({"features.0.weight": weight, "features.0.bias": bias}, path)
    return path
