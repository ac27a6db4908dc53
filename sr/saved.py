"""The checkpoints of a run on the disk: which there are, and whether they are whole."""

import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path

import torch

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
    """What is wrong with a file of torch.save; None if nothing is.

    It is an archive that holds a checksum (CRC-32) of every tensor, which torch does not look at.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        torch.load(path, weights_only=True, mmap=True)  # what the checksums leave out: how it is put together
    except Exception as error:  # there is no end to what damaged bytes can lead to
        return str(error).strip().split("\n")[0] or type(error).__name__
    return None if damaged is None else f"the checksum of {damaged} does not match"
