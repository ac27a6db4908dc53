"""`generator.memory=auto` of a training: replaced by a choice before anything is built."""

import logging
import os
from pathlib import Path
from typing import Any, get_args

import torch
from hydra.utils import instantiate
from lightning.pytorch.accelerators import CUDAAccelerator
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig, ListConfig, OmegaConf

from sr.cli.argument_types import parameters_of
from sr.ops.hardware import free_memory
from sr.ops.kept_bytes import kept_bytes
from sr.run.directory import job_name
from sr.run.generator_memory import AUTO, ORDER, choose_memory, first_word
from sr.run.preflight import on_cpu
from sr.run.resume import SavedRun
from sr.training.precision import HALF

log = logging.getLogger(__name__)

KEY = "generator.memory"
AUTOCAST = {"bf16-mixed": torch.bfloat16, HALF: torch.float16}


def settle_memory(cfg: DictConfig, saved: SavedRun | None) -> None:
    """Replace `generator.memory=auto`, by what the run that is resumed has, or else by what suits the free memory.

    It is left alone where the net has no such argument, or its annotation does not name `auto` and `plain`.

    Raises:
        ValueError: a net of the user's cannot be run without values.
    """
    hints, parameters = parameters_of(str(cfg.generator.get("_target_")))
    choices = get_args(hints.get("memory"))
    if (
        not {AUTO, ORDER[0]} <= set(choices)
        or cfg.generator.get("memory", parameters["memory"].default) != AUTO
    ):
        return
    before = (saved.config.get("generator") or {}).get("memory") if saved else None
    if before in choices and before != AUTO:
        memory, why = before, "as in the run that is resumed"
    else:
        memory, why = _choice(cfg, choices)
    rank_zero_only(log.info)("%s=%s: %s", KEY, memory, why)
    OmegaConf.update(cfg, KEY, memory, force_add=True)


def _choice(cfg: DictConfig, choices: tuple[str, ...]) -> tuple[str, str]:
    """The choice and why; that of the first process where the run has several."""
    if not {"batch_size", "hr_patch_size"} <= cfg.data.keys():  # a data set of the user's
        return ORDER[0], "data has no batch_size and hr_patch_size, by which more could be said"
    devices = devices_of(cfg.trainer)
    sizes: dict[str, int] = {}

    def kept(memory: str) -> int:
        sizes[memory] = kept_by_generator(cfg, memory)
        return sizes[memory]

    memory, why = choose_memory(choices, kept=kept, free=free_for_a_process(devices))
    if len(devices) == 1 and cfg.trainer.num_nodes == 1 and job_name() is None:
        return memory, why
    # Named by the estimate: another net, patch or batch in the same directory is another question.
    file = Path(cfg.run_dir) / f".memory-{max(sizes.values(), default=0)}"
    memory, _, why = first_word(file, f"{memory}: {why}").partition(": ")
    return memory, f"{why} (the same for all processes, by {file.name} in the run directory)"


def kept_by_generator(cfg: DictConfig, memory: str) -> int:
    """The bytes that the generator of a run keeps for the backward pass of one micro-batch.

    Raises:
        ValueError: a net of the user's cannot be run without values.
    """
    net: Any = instantiate(cfg.generator, memory=memory)
    parts = (cfg.model.get("optimization") or {}).get("accumulate", 1)
    batch = -(-cfg.data.batch_size // max(parts, 1))
    side = max(cfg.data.hr_patch_size // cfg.scale, 1)
    dtype = AUTOCAST.get(str(cfg.trainer.precision))
    try:
        return kept_bytes(net.train(), shape=(batch, cfg.channels, side, side), dtype=dtype)
    except Exception as error:  # whatever a net of the user's raises
        raise ValueError(
            f"{KEY}=auto: what {cfg.generator['_target_']} keeps cannot be found without running it"
            f" ({type(error).__name__}: {error}): set {KEY} to one of {', '.join(ORDER)} that it has"
        ) from error


def devices_of(trainer: DictConfig) -> list[torch.device]:
    """The device of each process of the run on this machine."""
    devices = trainer.devices
    if on_cpu(trainer) or not torch.cuda.is_available():
        # Of anything but a number, Lightning makes one process, or says what is wrong.
        return [torch.device("cpu")] * (int(devices) if str(devices).isdigit() else 1)
    devices = list(devices) if isinstance(devices, ListConfig) else devices
    gpus = CUDAAccelerator.parse_devices(-1 if devices == "auto" else devices) or []
    return [torch.device("cuda", index) for index in gpus]


def free_for_a_process(devices: list[torch.device]) -> int:
    """The bytes that are free for this process: on its GPU, or its part of the memory of the machine."""
    local = int(os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", "0")))
    device = devices[local % len(devices)]
    return free_memory(device) // devices.count(device)
