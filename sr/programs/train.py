"""One run of training: compose -> build -> fit -> report."""

import logging
import os
import shlex
import signal
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # otherwise it asks the network for a newer version

import lightning as L
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig, OmegaConf

from sr.callbacks.config_record import ConfigRecord
from sr.callbacks.provenance import Provenance
from sr.callbacks.ranks import EndTogether
from sr.callbacks.sr_module import sr_module
from sr.callbacks.stop import Stopped
from sr.cli.argument_types import check_types
from sr.cli.command_line import typed
from sr.cli.errors import readable_errors
from sr.cli.hydra_errors import explain_hydra
from sr.data.datamodule import SRDataModule
from sr.metrics.protocol import Protocol
from sr.ops.exit_status import STOPPED
from sr.ops.file_lock import alone_in
from sr.ops.hardware import training_layout
from sr.ops.node_names import node_text
from sr.ops.processes import end_with_starter, starting_others
from sr.ops.program_names import to_type
from sr.ops.signals import KILL
from sr.ops.whole_file import remove_unfinished
from sr.programs.at_hand import check_root
from sr.programs.settled_memory import settle_memory
from sr.run.checkpoint_files import set_aside
from sr.run.checkpoint_names import FOLDER
from sr.run.normalise import settled_normalise
from sr.run.preflight import (
    build_unused_parts,
    check_files,
    check_fit,
    check_scales,
    check_trainer,
    on_cpu,
    settle_precision,
    warn_of_torchrun,
    warn_of_workers,
)
from sr.run.readable_config import readable
from sr.run.rebuilding import check_rebuilding, packages_to_trust, say_what_to_trust
from sr.run.resume import SavedRun, compare, find_saved
from sr.run.warm_start import warm_start
from sr.run.whole_checkpoints import WholeCheckpointIO
from sr.sweep.job import search_path
from sr.training.base import SRModule
from sr.training.precision import HALF, HalfPrecision, check_precision

log = logging.getLogger(__name__)


def main(cfg: DictConfig) -> None:
    """Train what the composed configuration says."""
    with readable_errors(explain_hydra, explain_lightning):
        train(cfg)


def explain_lightning(error: BaseException) -> str | None:
    """What Lightning says of its own arguments; None for all other errors."""
    return str(error) if isinstance(error, MisconfigurationException) else None


def train(cfg: DictConfig) -> None:
    """Train one run. The first of its processes locks the directory, so that no other run uses it."""
    first = rank_zero_only.rank == 0  # type: ignore[attr-defined]
    end_with_starter(signal.SIGTERM if first else KILL)  # a job of a sweep saves before it ends
    with alone_in(Path(cfg.run_dir), key="hydra.run.dir") if first else nullcontext(), starting_others():
        build_and_fit(cfg)


def build_and_fit(cfg: DictConfig) -> None:
    """Check, build and fit; every mistake in the configuration is found before the first iteration."""
    plain, saved = check(cfg)
    L.seed_everything(cfg.seed, verbose=False)
    quieten()
    if cfg.cpu_threads:
        torch.set_num_threads(cfg.cpu_threads)
    data, model = build(cfg, plain, fresh=saved is None)
    together = EndTogether()
    trainer = build_trainer(cfg, plain, saved, together)
    make_room(cfg, saved)
    try:
        trainer.fit(model, datamodule=data, ckpt_path=str(saved.path) if saved else None, weights_only=True)
    except Stopped:
        end_as_stopped(trainer)
    report(trainer, Path(cfg.run_dir), trust=packages_to_trust(plain["generator"]))
    together.check()


def check(cfg: DictConfig) -> tuple[dict[str, Any], SavedRun | None]:
    """Check what can be checked before anything is built; the resolved configuration, and the run to go on with."""
    check_root(cfg)  # who calls `train` from Python has not asked `check_at_hand`
    given: Any = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    check_types(given)
    settle_precision(cfg.trainer)
    saved = find_saved(cfg.resume, Path(cfg.run_dir))
    if not saved:
        check_files(cfg)
    settle_normalise(cfg, given["data"], saved)
    check_trainer(cfg.trainer)
    settle_memory(cfg, saved)
    plain: Any = OmegaConf.to_container(cfg, resolve=True)
    if saved:
        written: Any = OmegaConf.to_container(cfg, resolve=False)
        say_what_is_resumed(saved, compare(saved, plain, written=written))
    rank_zero_only(warn_of_workers)(cfg)
    warn_of_torchrun()
    check_scales(cfg)
    build_unused_parts(cfg)
    return plain, saved


def settle_normalise(cfg: DictConfig, data: Mapping[str, Any], saved: SavedRun | None) -> None:
    """Replace `data.normalise` by its numbers, or by those of the weights that the run goes on from."""
    if "normalise" in data:  # which a data set of the user's may not have
        cfg.data.normalise = settled_normalise(
            data["normalise"], saved=saved.config if saved else None, init_from=cfg.init_from
        )


def build(cfg: DictConfig, plain: dict[str, Any], *, fresh: bool) -> tuple[SRDataModule, SRModule]:
    """The data and the model, which a fresh run may start from trained weights."""
    data = instantiate(cfg.data)  # before the model, because its perceptual loss may download weights
    device = torch.device("cpu" if on_cpu(cfg.trainer) else "cuda")
    model = instantiate(cfg.model).to(memory_format=training_layout(device))
    if isinstance(model.metric, Protocol):
        model.metric.by = data.normalisation
    check_precision(str(cfg.trainer.precision))  # here too: before the loggers open
    check_fit(cfg, model)
    check_rebuilding(model.generator, plain["generator"], scale=cfg.scale, channels=cfg.channels)
    rank_zero_only(say_what_to_trust)(plain["generator"])
    data.check_validation(smallest=model.metric.smallest)
    if fresh:
        warm_start(
            model,
            init_from=cfg.init_from,
            init_discriminator_from=cfg.init_discriminator_from,
            init_strict=cfg.init_strict,
            generator=plain["generator"],
            downloads=Path(cfg.run_dir) / "artifacts",
            normalise=data.normalisation.content,
        )
    if cfg.compile:
        model.compile_nets()
    return data, model


def build_trainer(
    cfg: DictConfig, plain: dict[str, Any], saved: SavedRun | None, together: EndTogether
) -> L.Trainer:
    """The trainer with its callbacks and loggers, which go back to where a saved run was saved."""
    written: Any = OmegaConf.to_container(cfg, resolve=False)
    record = ConfigRecord(config=plain, readable=readable(plain, written))
    callbacks = [*instantiate(cfg.callbacks).values(), record, Provenance(), together]
    loggers = [*instantiate(cfg.logger).values()]
    if saved:
        for logger in loggers:
            logger.rewind(saved.iteration)
    plugins: list[Any] = [WholeCheckpointIO()]
    precision = cfg.trainer.precision
    if precision == HALF:  # Lightning takes a plugin or a name, not both
        plugins, precision = [*plugins, HalfPrecision(device="cpu" if on_cpu(cfg.trainer) else "cuda")], None
    trainer: L.Trainer = instantiate(
        cfg.trainer, callbacks=callbacks, logger=loggers, plugins=plugins, precision=precision
    )
    return trainer


@rank_zero_only
def say_what_is_resumed(saved: SavedRun, changed: list[str]) -> None:
    log.info("resumes %s after iteration %d", saved.path, saved.iteration)
    for change in changed:
        log.warning("changed since it was saved: %s", change)


def end_as_stopped(trainer: L.Trainer) -> None:
    """Exit with STOPPED. The processes that Lightning started exit with 0: a failed one would end the others."""
    if not trainer.is_global_zero:
        sys.exit(0)
    print(f"\nstopped after {trainer.global_step} iterations, everything is saved: resume=auto goes on")
    sys.exit(STOPPED)


def quieten() -> None:
    """Silence the warnings of libraries about intended choices."""
    for message in (
        ".*does not have many workers.*",  # one loader process is enough for whole images
        ".*worker processes in total.*",  # `warn_of_workers` says it once
        ".*recommended to use `self.log.*",  # validation is exact on every process already
        ".*in eval mode at the start of training.*",  # this is intended for the average and VGG
        ".*smaller than the logging interval.*",
        ".*logs directory .* exists and is not empty.*",  # hydra.run.dir is made before the logger
        ".*isinstance.treespec, LeafSpec.*",  # Lightning itself calls functions that torch has renamed
        ".*torch.distributed.nn.functional.all_gather is deprecated.*",
        ".*your dataloader is not resumable.*",  # its sampler is resumable
    ):
        warnings.filterwarnings("ignore", message=message)
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(
        lambda record: "litlogger" not in record.getMessage()
    )


@rank_zero_only
def make_room(cfg: DictConfig, saved: SavedRun | None) -> None:
    """Prepare the run directory: remove unfinished files, move other checkpoints aside, save the configuration."""
    run_dir = Path(cfg.run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    remove_unfinished(run_dir)
    checkpoints = run_dir / FOLDER
    if saved is None or saved.path.absolute().parent != checkpoints.absolute():
        set_aside(checkpoints)
    OmegaConf.save(cfg, run_dir / "config.yaml", resolve=True)


@rank_zero_only
def report(trainer: L.Trainer, run_dir: Path, *, trust: Sequence[str]) -> None:
    """Print the location of every result and the next command, with the packages that it has to trust."""
    run_dir = Path(os.path.relpath(run_dir)) if run_dir.is_relative_to(Path.cwd()) else run_dir
    quantities = sr_module(trainer.lightning_module).metric.quantities
    validated = {name: trainer.callback_metrics.get(f"val/{name}") for name in quantities}
    metrics = ", ".join(
        f"{name} {quantities[name].text(float(value))}"
        for name, value in validated.items()
        if value is not None
    )
    print(
        f"\ntrained {trainer.global_step} iterations; last validation: {metrics or 'none (no epoch ended)'}"
    )
    for name, what in (
        ("checkpoints/best_pixel.ckpt", "the weights of the best validation before the GAN"),
        ("checkpoints/best.ckpt", "the weights of the best validation"),
        ("checkpoints/last.ckpt", "the weights at the end"),
        ("samples", "LR | bicubic | SR | HR at every validation"),
        ("curves.png", "everything that was logged, as curves"),
        ("metrics.csv", "everything that was logged"),
        ("config.yaml", "the resolved configuration"),
        ("wandb", wandb_commands(run_dir / "wandb")),
        ("tensorboard", shlex.join(["tensorboard", "--logdir", str(run_dir)])),
    ):
        if (run_dir / name).exists():
            print(f"  {run_dir / name}   {what}")
    choices = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    blind = degradation_of_validation(choices)
    metric = metric_of_validation(choices)
    # The option may be one of the user's, which evaluate.py has to find too.
    places = search_path(HydraConfig.get()) if blind and HydraConfig.initialized() else []
    command = shlex.join([*to_type("evaluate"), *places])
    if not (run_dir / "checkpoints" / "last.ckpt").exists():  # the checkpoint callback can be left out
        return
    packages = ",".join(trust)
    words = f" {typed(f'trust=[{packages}]')}" if trust else ""  # quoted, as shells expand brackets
    ckpt = typed(f"ckpt={run_dir}/checkpoints/last.ckpt")
    print(f"next: {command} {ckpt} hr_dir=<directory of HR images>{blind}{metric}{words}")


def degradation_of_validation(choices: Mapping[str, str]) -> str:
    """The override with which evaluate.py makes LR as validation did; empty for its default.

    Args:
        choices: Hydra's group -> chosen option.
    """
    chosen = choices.get("degradation@data.val_degradation") or choices.get("degradation", "bicubic")
    return "" if chosen == "bicubic" else f" {typed(f'degradation={node_text(chosen)}')}"


def metric_of_validation(choices: Mapping[str, str]) -> str:
    """The override with which evaluate.py measures as validation did; empty where it does so by itself.

    Args:
        choices: Hydra's group -> chosen option.
    """
    chosen = choices.get("metric", "default")
    by_itself = ("default", "channels", "by_channels")
    return "" if chosen in by_itself else f" {typed(f'metric={node_text(chosen)}')}"


def wandb_commands(folder: Path) -> str:
    """The commands that show and upload a W&B run.

    Every start of a resumed run leaves a folder; `wandb sync` joins the folders of one id in their order.
    """
    latest = folder / "latest-run"  # a link to (offline-)run-<time>-<id>
    number = latest.resolve().name.rsplit("-", 1)[-1]
    commands = [["wandb", "leet", str(latest)]]
    if offline := sorted(map(str, folder.glob(f"offline-run-*-{number}"))):
        commands.append(["wandb", "sync", *offline])
    return "   or   ".join(map(shlex.join, commands))
