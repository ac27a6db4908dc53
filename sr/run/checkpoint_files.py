"""The checkpoints of a run on the disk: which there are, and whether they are whole."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from sr.ops.weight_file import CheckpointError, check_finite, read_weight_file

log = logging.getLogger(__name__)

FOLDER = "checkpoints"
LAST, BEST = "last", "best"


def checkpoint_name(kind: str, place: int) -> str:
    """`last.ckpt` is the newest, `last-1.ckpt` the one before; `best.ckpt` the best, `best-1.ckpt` the second."""
    return f"{kind}-{place}.ckpt" if place else f"{kind}.ckpt"


def newest_intact(folder: Path) -> Path | None:
    """The newest checkpoint that is whole, saying which ones are not; None if there is none.

    The best ones, which are older, only where no other is left.
    """
    for path in (path for kind in (LAST, BEST) for path in _by_place(folder, kind)):
        wrong = fault(path)
        if wrong is None:
            return path
        log.warning("%s is damaged (%s): the one before it is taken", path, wrong)
    return None


def set_aside(folder: Path) -> None:
    """Keep what an earlier run left under another name, so that a new one neither replaces it nor goes on from it."""
    if not any(folder.glob("*.ckpt")):
        return
    number = 1
    while (other := folder.with_name(f"{folder.name}-{number}")).exists():
        number += 1
    folder.rename(other)
    log.warning("the checkpoints of an earlier run in this directory are kept in %s", other)


def _by_place(folder: Path, kind: str) -> Iterator[Path]:
    """A kill between two renames may leave a gap, so all of the kind are looked at."""
    numbered = {}
    for path in folder.glob(f"{kind}*.ckpt"):
        digits = path.stem.removeprefix(kind).removeprefix("-") or "0"
        if digits.isdigit():
            numbered[int(digits)] = path
    for place in sorted(numbered):
        yield numbered[place]


def fault(path: Path) -> str | None:
    """What is wrong with a checkpoint; None if nothing is."""
    try:
        content = read_weight_file(path, mmap=True).content
        weights = content.get("state_dict") if isinstance(content, Mapping) else None
        if isinstance(weights, Mapping):
            check_finite({str(name): value for name, value in weights.items()}, path=path)
    except CheckpointError as error:
        return str(error).removeprefix(f"{path}: ")
    return None
