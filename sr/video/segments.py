"""The finished parts of a film that is being written, from which a killed run goes on.

They lie beside the film in `.NAME.segments`: `plan.json`, which says what makes them, and for each part the encoded
frames (`000000.nut`) with their times (`000000.json`). A part counts as finished when its times are there.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr.ops.file_lock import alone_in
from sr.ops.whole_file import remove_unfinished, replacing

PLAN = "plan.json"


@dataclass(frozen=True)
class Segment:
    """A finished part.

    Attributes:
        file: the encoded frames.
        times: the (time stamp, duration) of every frame in the order in which they are shown.
    """

    file: Path
    times: tuple[tuple[int, int], ...]


class Workspace:
    """The folder of the parts of one film. Make one with `working_on`."""

    def __init__(self, folder: Path, finished: list[Segment]) -> None:
        self.folder = folder
        self.finished = finished

    def next_file(self) -> Path:
        """Where the next part is written, whole or not at all."""
        return self.folder / f"{len(self.finished):06d}.nut"

    def finish(self, times: Sequence[tuple[int, int]]) -> None:
        """Count the part at `next_file` as finished."""
        file = self.next_file()
        with replacing(file.with_suffix(".json")) as written:
            written.write(json.dumps({"bytes": file.stat().st_size, "times": times}).encode())
        self.finished.append(Segment(file, tuple(times)))

    def remove(self) -> None:
        """Remove the parts, after they have become a film."""
        shutil.rmtree(self.folder)


def segments_folder(target: Path) -> Path:
    return target.with_name(f".{target.name}.segments")


@contextmanager
def working_on(target: Path, plan: dict[str, Any], *, resume: bool) -> Iterator[Workspace]:
    """Hold the folder of parts of a film alone.

    Args:
        target: the film that the parts become.
        plan: the things that make the parts, as JSON has them: parts of another plan are not continued.
        resume: whether to go on with finished parts.

    Raises:
        ValueError: there are finished parts, but of another plan, or `resume` is not set.
        InUseError: another process writes the same film.
    """
    folder = segments_folder(target)
    with alone_in(folder, key="--out"):
        remove_unfinished(folder)
        finished = _finished(folder)
        if finished:
            _check(folder, plan, resume=resume, parts=len(finished))
        else:
            with replacing(folder / PLAN) as file:
                file.write(json.dumps(plan, indent=1).encode())
        yield Workspace(folder, finished)


def planned(target: Path) -> dict[str, Any]:
    """The plan of the parts that are there; empty without any."""
    path = segments_folder(target) / PLAN
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def _finished(folder: Path) -> list[Segment]:
    """The finished parts from the first on, without gap."""
    segments: list[Segment] = []
    while True:
        file = folder / f"{len(segments):06d}.nut"
        times = file.with_suffix(".json")
        if not file.is_file() or not times.is_file():
            return segments
        stated = json.loads(times.read_bytes())
        if stated["bytes"] != file.stat().st_size:
            return segments
        segments.append(Segment(file, tuple((pts, duration) for pts, duration in stated["times"])))


def _check(folder: Path, plan: dict[str, Any], *, resume: bool, parts: int) -> None:
    again = f"or delete {folder} to begin again"
    if not resume:
        raise ValueError(
            f"{folder} has {parts} finished segment(s) of a run that did not end: add --resume to go on, {again}"
        )
    old = json.loads((folder / PLAN).read_bytes())
    changed = [
        f"{key} was {old.get(key)} and is {plan.get(key)}"
        for key in sorted(old.keys() | plan.keys())
        if old.get(key) != plan.get(key)
    ]
    if changed:
        raise ValueError(f"--resume: {'; '.join(changed)}: give what the run began with, {again}")
