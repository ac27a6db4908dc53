"""Going on with a run: which checkpoint to take, and whether the configuration is still that of the run.

`sr.run.directory` decides which run `resume=auto` means where no directory is given.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr.ops.paths import why_no_file
from sr.ops.weight_file import read_weight_file
from sr.run.checkpoint_files import fault, newest_intact
from sr.run.checkpoint_names import FOLDER
from sr.run.directory import AUTO

# Keys whose state is part of the checkpoint: another value would be refused by that state, or have no effect.
HELD = re.compile(
    r"scale|channels|data\.normalise(\..*)?|model\._target_|model\.optimization\.warmup_iterations"
    r"|(generator|discriminator)\..*|(.*\.)?(optimizer|scheduler)_\w+\..*"
)
# Keys that belong to a command and not to a run, and keys that change no result.
IGNORED = re.compile(
    r"resume|run_dir|name|init_\w+|generator\.memory|trainer\.default_root_dir|model\.optimization\._target_"
)
# Keys of runs that older code has saved -> the keys of today.
MOVED = {
    f"model.{key}": f"model.optimization.{key}"
    for key in ("ema_decay", "warmup_iterations", "gradient_clip", "accumulate")
}
USED = ("model", "data", "trainer")  # the groups that are built; they hold copies of the others
# A node that is nothing but the copy of a root key, or the metric that `monitor` names first.
COPY = re.compile(r"\$\{(?:monitored:\$\{)?(\w+)\}+")


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
    if missing := why_no_file(path):
        raise FileNotFoundError(f"resume={resume} {missing}: name a checkpoint of a run, or auto")
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


def compare(saved: SavedRun, config: Mapping[str, Any], *, written: Mapping[str, Any]) -> list[str]:
    """The changes that a resumed run may have, as `key: before -> now`.

    Args:
        saved: the run to go on with.
        config: the resolved configuration of today.
        written: the same configuration with its interpolations, which show the nodes that are copies of root keys.

    Raises:
        ResumeError: a change that a resumed run cannot have; the message names it.
    """
    shown = changes(saved.config, config, written=written)
    refused = [shown[key] for key in shown if HELD.fullmatch(key)]
    if refused:
        raise ResumeError(
            f"{saved.path} cannot be resumed with another net, optimizer or schedule: {'; '.join(refused)}. Set them"
            " back (T_max, which follows trainer.max_steps, by its own key), or start a new run with"
            f" init_from={saved.path}"
        )
    return [*shown.values()]


def changes(
    before: Mapping[str, Any], now: Mapping[str, Any], *, written: Mapping[str, Any]
) -> dict[str, str]:
    """Key -> `key: before -> now`, of every value that a run depends on and that differs.

    Args:
        before: a resolved configuration.
        now: another one.
        written: one of them with its interpolations, which show the nodes that are copies of root keys.
    """
    copies = {key: copied[1] for key, text in leaves(written) if (copied := COPY.fullmatch(str(text)))}
    first, second = _compared(before, copies), _compared(now, copies)
    return {
        key: f"{key}: {first.get(key)} -> {second.get(key)}"
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key)
    }


def leaves(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a tree of mappings and lists, under its dotted key."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from leaves(value, f"{prefix}{key}.")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, f"{prefix}{index}.")
    else:
        yield prefix[:-1], node


def _compared(config: Mapping[str, Any], copies: Mapping[str, str]) -> dict[str, Any]:
    """The values that a run depends on, under the keys that a user types.

    A resolved configuration holds a group twice: at its root, and as a copy in the model or the data. Only the copy
    counts, under the name of the group, because a group that is copied nowhere has no effect.
    """
    groups = {key for key, node in config.items() if isinstance(node, Mapping) and key not in USED}
    found = {}
    for key, value in leaves(config):
        if key.split(".")[0] in groups:
            continue
        source = next((path for path in copies if key == path or key.startswith(f"{path}.")), None)
        typed = MOVED.get(key, key) if source is None else copies[source] + key.removeprefix(source)
        if not IGNORED.fullmatch(typed):
            found[typed] = value
    return found
