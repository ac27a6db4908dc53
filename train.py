"""Compose an experiment with Hydra and train it: `python train.py --help`."""

import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version

import hydra
import lightning as L
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig, OmegaConf

from sr.callbacks.config_record import ConfigRecord
from sr.checkpoint import CheckpointError, load_weights, read_checkpoint
from sr.config import TrainConfig, check_root_keys, readable_errors, register_schemas

log = logging.getLogger("train")


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> None:
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        run_alone(HydraConfig.get())
    else:
        train(cfg)


def run_alone(hydra_config: Any) -> None:
    """One job of a sweep in a process of its own.

    Lightning starts the extra processes of a multi-device run by repeating the command line, which would start the
    sweep again, and leaves its environment variables behind for the next job.
    """
    overrides = list(hydra_config.overrides.task)
    command = [sys.executable, __file__, *overrides, f'hydra.run.dir="{hydra_config.runtime.output_dir}"']
    status = subprocess.run(command, check=False).returncode
    if status:
        raise RuntimeError(
            f"sweep job {hydra_config.job.num} ({' '.join(overrides)}) ended with status {status}"
        )


def train(cfg: DictConfig) -> None:
    """Build everything, so that every mistake in the configuration shows before the first iteration; then fit."""
    plain: Any = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    check_root_keys(cfg, TrainConfig)
    check_devices(cfg.trainer)
    check_groups(cfg)
    if cfg.seed < 0:
        raise ValueError(f"seed={cfg.seed} must be 0 or more")
    L.seed_everything(cfg.seed, verbose=False)
    quieten()
    if cfg.cpu_threads:
        torch.set_num_threads(cfg.cpu_threads)
    model = instantiate(cfg.model).to(memory_format=torch.channels_last)  # the layout that convolutions want
    model.check_precision(str(cfg.trainer.precision))  # here too: on a CPU Lightning turns fp16 into bf16
    check_fit(cfg, model)
    data = instantiate(cfg.data)
    data.check_validation(smallest=model.metric.smallest)
    if cfg.init_from:
        initialize(model, cfg)
    callbacks = [*instantiate(cfg.callbacks).values(), ConfigRecord(config=plain)]
    trainer: L.Trainer = instantiate(
        cfg.trainer, callbacks=callbacks, logger=[*instantiate(cfg.logger).values()]
    )
    save_config(cfg)
    trainer.fit(model, datamodule=data)
    report(trainer, Path(cfg.run_dir))


def quieten() -> None:
    """Silence what libraries say about choices that are meant."""
    for message in (
        ".*does not have many workers.*",  # one loader process is right for whole images
        ".*recommended to use `self.log.*",  # validation is exact on every process already
        ".*in eval mode at the start of training.*",  # the average and VGG are meant to be
        ".*smaller than the logging interval.*",
        ".*logs directory .* exists and is not empty.*",  # hydra.run.dir is made before the logger
        ".*isinstance.treespec, LeafSpec.*",  # Lightning's own calls of what torch renamed
        ".*torch.distributed.nn.functional.all_gather is deprecated.*",
    ):
        warnings.filterwarnings("ignore", message=message)
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(
        lambda record: "litlogger" not in record.getMessage()
    )


def check_devices(trainer: DictConfig) -> None:
    """CPU processes beyond the cores only slow each other down; Lightning checks GPUs itself."""
    cpu = trainer.accelerator == "cpu" or (trainer.accelerator == "auto" and not torch.cuda.is_available())
    cores = os.cpu_count() or 1
    if cpu and isinstance(trainer.devices, int) and trainer.devices > cores:
        raise ValueError(
            f"trainer.devices={trainer.devices}: this machine has {cores} CPU core(s) and no GPU in use"
        )


def check_groups(cfg: DictConfig) -> None:
    """Build what would be built late or, with this model, not at all, so that its typos show now."""
    for group in ("discriminator", "gan_loss"):
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


def check_fit(cfg: DictConfig, model: Any) -> None:
    """What no part can know alone."""
    if cfg.channels != 3 and {"y", "rgb"} & set(cfg.metric.spaces):
        raise ValueError(f"channels={cfg.channels} has no luma: add metric=channels monitor=psnr_channels")
    if cfg.data.batch_size % cfg.model.accumulate:
        raise ValueError(
            f"data.batch_size={cfg.data.batch_size} must be a multiple of model.accumulate={cfg.model.accumulate}"
        )
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


def initialize(model: Any, cfg: DictConfig) -> None:
    """Start from trained weights: the generator, its average, and the discriminator where the file has one."""
    checkpoint = read_checkpoint(cfg.init_from)
    for net in (model.generator, model.generator_ema):
        load_weights(net, checkpoint.generator, path=checkpoint.path)
    log.info("generator starts from %s (%s)", checkpoint.path, checkpoint.source)
    there = checkpoint.config["generator"] if checkpoint.config else {}
    here: Any = OmegaConf.to_container(cfg.generator, resolve=True)
    for key, value in here.items():
        if key in there and there[key] != value:  # such as a skip, of which the weights say nothing
            log.warning("generator.%s=%s, but these weights were trained with %s", key, value, there[key])
    if checkpoint.discriminator and hasattr(model, "discriminator"):
        try:
            load_weights(model.discriminator, checkpoint.discriminator, path=checkpoint.path)
            log.info("discriminator starts from the same file")
        except CheckpointError as error:  # a generator can change its adversary
            log.warning("discriminator starts from scratch: %s", error)


@rank_zero_only
def save_config(cfg: DictConfig) -> None:
    run_dir = Path(cfg.run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(cfg, run_dir / "config.yaml", resolve=True)


@rank_zero_only
def report(trainer: L.Trainer, run_dir: Path) -> None:
    """Where everything is, and what to type next."""
    run_dir = Path(os.path.relpath(run_dir)) if run_dir.is_relative_to(Path.cwd()) else run_dir
    metrics = ", ".join(
        f"{name.removeprefix('val/')} {value:.4f}"
        for name, value in sorted(trainer.callback_metrics.items())
        if name.startswith("val/")
    )
    print(
        f"\ntrained {trainer.global_step} iterations; last validation: {metrics or 'none (no epoch ended)'}"
    )
    for place, what in (
        ("checkpoints/best.ckpt", "the weights of the highest validation"),
        ("checkpoints/last.ckpt", "the weights at the end"),
        ("samples", "LR | SR | HR at every validation"),
        ("curves.png", "losses, PSNR, SSIM"),
        ("metrics.csv", "everything that was logged"),
        ("config.yaml", "the resolved configuration"),
        ("wandb", f"wandb beta leet {run_dir}/wandb/latest-run   or   wandb sync {run_dir}/wandb/latest-run"),
        ("tensorboard", f"tensorboard --logdir {run_dir}"),
    ):
        if (run_dir / place).exists():
            print(f"  {run_dir / place}   {what}")
    print(f"next: python evaluate.py ckpt={run_dir}/checkpoints/last.ckpt hr_dir=<directory of HR images>")


if __name__ == "__main__":
    register_schemas()
    with readable_errors():
        main()
