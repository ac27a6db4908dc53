"""Checks of a composed run that no constructor can make, before the run begins."""

import logging
import os
from typing import Any

import torch
from hydra.utils import instantiate
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig

from sr.ops.cores import usable_cores
from sr.ops.hardware import has_bf16, has_fast_fp16
from sr.ops.three_bands import check_bands
from sr.run.wandb_artifacts import artifact_of, is_artifact
from sr.run.warm_start import named
from sr.zoo.shipped import shadowed, weights_file

log = logging.getLogger(__name__)


def settle_precision(trainer: DictConfig) -> None:
    """Replace bf16 by fp32 on hardware without instructions for bf16, where it is many times slower than fp32.

    Not by fp16, which leaves out updates now and then: a default must give the same numbers on all such hardware.
    """
    device = torch.device("cpu" if on_cpu(trainer) else "cuda")
    if trainer.precision == "bf16-mixed" and not has_bf16(device):
        advice = "; trainer.precision=16-mixed is faster on it" if has_fast_fp16(device) else ""
        log.info(
            "trainer.precision=bf16-mixed: this %s has no bf16, so training runs in 32-true%s",
            device.type,
            advice,
        )
        trainer.precision = "32-true"
    elif trainer.precision == "16-mixed" and not has_fast_fp16(device):
        log.warning("trainer.precision=16-mixed: fp16 is slower than 32-true on this %s", device.type)


def on_cpu(trainer: DictConfig) -> bool:
    return trainer.accelerator == "cpu" or (trainer.accelerator == "auto" and not torch.cuda.is_available())


def check_files(cfg: DictConfig) -> None:
    """Check the weights to start from, before anything is built or downloaded; of artifacts, their names.

    Raises:
        FileNotFoundError: names the key of a file that does not exist.
        ValueError: names the key of an artifact whose name cannot be one.
    """
    for key in ("init_from", "init_discriminator_from"):
        if cfg[key] and is_artifact(cfg[key]):
            try:
                artifact_of(cfg[key])
            except ValueError as error:
                raise ValueError(f"{key}={error}") from error
        elif cfg[key]:
            with named(key):
                weights_file(cfg[key])
            if note := shadowed(cfg[key]):
                rank_zero_only(log.warning)("%s: %s", key, note)


def check_trainer(trainer: DictConfig) -> None:
    """Refuse values that Lightning refuses without naming the key, or too late, or not at all.

    More CPU processes than cores only slow each other down. Lightning checks the number of GPUs itself.

    Raises:
        ValueError: names the key, the value and what it can be.
    """
    for key in ("devices", "num_nodes", "log_every_n_steps", "check_val_every_n_epoch", "val_check_interval"):
        value = trainer[key]
        every_gpu = key == "devices" and value == -1
        part = isinstance(value, float) and 0 < value < 1  # of an epoch
        if isinstance(value, int | float) and value < 1 and not (every_gpu or part):
            raise ValueError(f"trainer.{key}={value} must be 1 or more")
    for key in ("max_steps", "max_epochs"):
        if trainer[key] is not None and trainer[key] < 1 and trainer[key] != -1:
            raise ValueError(f"trainer.{key}={trainer[key]} must be 1 or more; -1 sets no limit")
    cores = usable_cores()
    if on_cpu(trainer) and isinstance(trainer.devices, int) and trainer.devices > cores:
        raise ValueError(
            f"trainer.devices={trainer.devices}: this machine has {cores} CPU core(s) and no GPU in use"
        )


def warn_of_workers(cfg: DictConfig) -> None:
    """Warn of more loader processes than cores.

    Torch would warn for every loader, and does not count those of other processes.
    """
    cores = usable_cores()
    processes = cfg.trainer.devices if isinstance(cfg.trainer.devices, int) else 1
    workers = cfg.data.num_workers * max(processes, 1)
    if workers > cores:
        each = f" in each of {processes} processes" if processes > 1 else ""
        log.warning(
            "data.num_workers=%d%s: more loader processes than the %d CPU core(s) here, for which they take turns;"
            " data.num_workers=%d would do",
            cfg.data.num_workers,
            each,
            cores,
            cores // max(processes, 1),
        )


def warn_of_torchrun() -> None:
    """Warn of restarts that hang: with torch 2.13, restarted workers find the addresses of dead ones, and wait."""
    restarts = os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0")
    if restarts != "0" and os.environ.get("TORCH_DISABLE_SHARE_RDZV_TCP_STORE") != "1":
        log.warning(
            "torchrun --max-restarts=%s hangs at the first restart unless it is started with the environment variable"
            " TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1",
            restarts,
        )


def check_scales(cfg: DictConfig) -> None:
    """Raises ValueError where a part of ours has another scale than the run; elsewhere the word may mean anything."""
    for group in ("generator", "degradation"):
        ours = str(cfg[group].get("_target_")).startswith("sr.")
        scale = cfg[group].get("scale", cfg.scale)
        if ours and scale != cfg.scale:
            raise ValueError(
                f"{group}.scale={scale} is not scale={cfg.scale}: set scale, which all parts follow"
            )


def build_unused_parts(cfg: DictConfig) -> None:
    """Build what would be built late, or not at all with this model, so that a typo in it shows now."""
    for group in ("discriminator", "gan_loss", "gan_penalty"):
        instantiate(cfg[group])
    for net in ("g", "d"):
        try:
            optimizer = instantiate(cfg[f"optimizer_{net}"])([torch.nn.Parameter(torch.zeros(1))])
            instantiate(cfg[f"scheduler_{net}"])(optimizer)
        except (TypeError, ValueError) as error:
            raise ValueError(f"optimizer_{net} or scheduler_{net}: {error}") from error
    for group in ("callbacks", "logger"):
        for name, node in cfg[group].items():
            if "_target_" not in node:
                raise ValueError(
                    f"{group}.{name} has no _target_: choose from {', '.join(cfg[group])} or add one"
                )


def check_measures(cfg: DictConfig, metric: Any) -> None:
    """Raises ValueError where the metric does not take the further metrics, or one needs other channels."""
    taken = getattr(metric, "measures", {})
    wanted = sorted(cfg.get("measure") or {})
    if wanted != sorted(taken):
        raise ValueError(
            f"measure={wanted}: metric={type(metric).__qualname__} has {sorted(taken)}; its YAML needs"
            " the line `measures: ${measure}`"
        )
    for name, each in taken.items():
        if hasattr(each, "bands"):
            check_bands(each.bands, channels=cfg.channels, key=f"measure.{name}.bands")
        if each.channels not in (None, cfg.channels):
            raise ValueError(
                f"measure.{name} needs images of {each.channels} channels, not channels={cfg.channels}"
            )


def check_fit(cfg: DictConfig, model: Any) -> None:
    """Refuse parts that do not fit together; no part can know it alone. Raises ValueError."""
    if cfg.channels != 3 and {"y", "rgb"} & set(cfg.metric.get("spaces", [])):
        raise ValueError(f"channels={cfg.channels} has no luma: add metric=channels monitor=psnr_channels")
    check_measures(cfg, model.metric)
    for criterion in model.criteria():
        for part in criterion.modules() if isinstance(criterion, torch.nn.Module) else ():
            check: Any = getattr(part, "check_channels", None)
            if check is not None:
                check(cfg.channels)
    model.optimization.check_batch_size(cfg.data.batch_size)
    if not list(model.generator.parameters()):
        raise ValueError(f"generator {cfg.generator['_target_']} has nothing to train")
    model.configure_optimizers()  # schedules and warm-up together; Lightning calls it after the loggers have opened
    if hasattr(model, "discriminator"):
        size = cfg.data.hr_patch_size
        try:
            with torch.no_grad():
                model.discriminator.eval()(torch.zeros(1, cfg.channels, size, size))
        except ValueError as error:
            raise ValueError(f"data.hr_patch_size={size} does not suit the discriminator: {error}") from error
        model.discriminator.train()
