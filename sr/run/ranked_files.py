"""The checkpoints of one kind, whose names say their ranks."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sr.ops.whole_file import UNFINISHED
from sr.run.checkpoint_names import checkpoint_name


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Where a new file belongs.

    Attributes:
        order: the rank before of each rank, the best first; `before` of the new file.
        before: the number of ranks before.
    """

    order: Sequence[int]
    before: int

    @property
    def changes_first(self) -> bool:
        """Whether another file than before has the first rank."""
        return self.order[0] != 0 or self.before == 0


def rearrange(directory: Path, kind: str, ranking: Ranking, *, fresh: Path) -> None:
    """Give the files of a kind the names of their new ranks, put a new file among them, and remove the others.

    A name that had a whole file before, and is still a rank, has one at every moment.

    Args:
        directory: the directory of the files.
        kind: the beginning of their names (`sr.run.checkpoint_names`).
        ranking: the new ranks.
        fresh: the new file, on the same file system.
    """
    order, before = ranking.order, ranking.before
    ranks = [directory / checkpoint_name(kind, rank) for rank in range(max(before, len(order)))]
    moving = {}
    for rank, source in enumerate(order):
        if source == before:
            moving[rank] = fresh
        elif source != rank and ranks[source].exists():  # a user may have removed it
            moving[rank] = directory / f".{kind}-{rank}{UNFINISHED}"
            second_name(ranks[source], moving[rank])
    for rank in reversed(moving):
        moving[rank].replace(ranks[rank])
    for file in ranks[len(order) :]:
        file.unlink(missing_ok=True)


def second_name(file: Path, name: Path) -> None:
    """Give a file a second name: by a hard link, which needs no space, or by a copy where there are no such links."""
    name.unlink(missing_ok=True)
    try:
        os.link(file, name)
    except OSError:  # exFAT, and some file systems of networks
        shutil.copyfile(file, name)
