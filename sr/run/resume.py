"""Going on with a run: which checkpoint to take, and whether the configuration is still that of the run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr.ops.weight_file import read_weight_file
from sr.run.checkpoint_files import FOLDER, fault, newest_intact
from sr.run.directory import AUTO

# The state of these is part of the checkpoint: another value would be refused by it, or silently have no effect.
FIXED = (
    "model._target_",
    "model.generator.",
    "model.discriminator.",
    "model.optimization.warmup_iterations",
    "scale",
    "channels",
)
OPTIMIZERS = tuple(
    f"model.{stage}{part}_" for stage in ("", "first_stage.") for part in ("optimizer", "scheduler")
)
# Groups whose choices the model and the data hold too, and what belongs to a command and not to a run.
NETS = ("generator", "discriminator", "optimizer_g", "optimizer_d", "scheduler_g", "scheduler_d")
ELSEWHERE = (*NETS, "loss", "gan_loss", "metric", "degradation")
PASSING = (
    "resume",
    "run_dir",
    "name",
    "logger",
    "callbacks",
    "init_from",
    "init_discriminator_from",
    "init_strict",
)
ANY_VALUE = ("generator.memory", "trainer.default_root_dir", "model.optimization._target_")
# Keys of runs that older code has saved -> the keys of today.
MOVED = {
    f"model.{key}": f"model.optimization.{key}"
    for key in ("ema_decay", "warmup_iterations", "gradient_clip", "accumulate")
}


class ResumeError(ValueError):
    """A run that cannot be resumed."""


@dataclass(frozen=True)
class SavedRun:
    """A checkpoint to go on from.

    Attributes:
        path: the file.
        iteration: the number of iterations that are finished.
        config: the resolved configuration of the run.
    """

    path: Path
    iteration: int
    config: Mapping[str, Any]


def find_saved(resume: str | None, run_dir: Path) -> SavedRun | None:
    """Find the checkpoint for `resume`; None starts a new run, as `auto` does where there is no checkpoint yet.

    Raises:
        FileNotFoundError: the file does not exist.
        ResumeError: the file is damaged, or holds no state of training.
    """
    if resume is None:
        return None
    if resume == AUTO:
        path = newest_intact(run_dir / FOLDER)
        return _read(path) if path else None
    path = Path(resume).expanduser()
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise FileNotFoundError(f"resume={resume} {what}: name a checkpoint of a run, or auto")
    if wrong := fault(path):
        raise ResumeError(f"resume={resume}: {wrong}; resume=auto takes the newest whole one of a run")
    return _read(path)


def _read(path: Path) -> SavedRun:
    content = read_weight_file(path, mmap=True).content
    if not isinstance(content, Mapping) or not {"training", "config", "loops"} <= content.keys():
        raise ResumeError(
            f"resume={path} holds weights but no state of training to go on with: init_from={path} starts from them"
        )
    return SavedRun(path, content["global_step"], content["config"])


def compare(saved: SavedRun, config: Mapping[str, Any]) -> list[str]:
    """The changes that a resumed run may have, as `key: before -> now`.

    Raises:
        ResumeError: a change that a resumed run cannot have; the message names it.
    """
    before = {MOVED.get(key, key): value for key, value in _leaves(saved.config)}
    now = dict(_leaves(config))
    changed = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
    changed = [key for key in changed if not key.endswith(ANY_VALUE)]
    shown = {key: f"{_short(key)}: {before.get(key)} -> {now.get(key)}" for key in changed}
    refused = [shown[key] for key in changed if key.startswith((*FIXED, *OPTIMIZERS))]
    if refused:
        raise ResumeError(
            f"{saved.path} cannot be resumed with another net, optimizer or schedule: {'; '.join(refused)}. Set them"
            " back (T_max, which follows trainer.max_steps, by its own key), or start a new run with"
            f" init_from={saved.path}"
        )
    return [shown[key] for key in changed]


def _leaves(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key -> value, without what is compared in another place or not at all."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if prefix or key not in ELSEWHERE + PASSING:
                yield from _leaves(value, f"{prefix}{key}.")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _leaves(value, f"{prefix}{number}.")
    else:
        yield prefix[:-1], node


def _short(key: str) -> str:
    """The key as the user writes it."""
    group, _, rest = key.partition(".")
    inner = rest.split(".")[0]
    if group == "model" and inner == "content_loss":
        return rest.replace("content_loss.terms.", "loss.")
    return rest if group in ("model", "data") and inner in ELSEWHERE else key
