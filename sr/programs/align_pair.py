"""One pair: how LR and HR lie, and the aligned pair as files."""

from dataclasses import dataclass, field
from pathlib import Path

from sr.data.registration.aligning import aligned
from sr.data.registration.alignment import Alignment, measure_pair
from sr.data.registration.moving import span
from sr.data.registration.verdict import ALIGNED, MEANING, SHIFTED, UNDECIDED, UNEVEN, verdict
from sr.pictures.picture import UnreadableImageError
from sr.programs.align_files import read_side, target_of, write_side

UNREADABLE = "unreadable"
KINDS = (ALIGNED, SHIFTED, UNEVEN, UNDECIDED, UNREADABLE)


@dataclass(frozen=True)
class Job:
    """What is done with each pair.

    Attributes:
        scale: the HR pixels of an LR pixel.
        hr: the folder of HR.
        lr: the folder of LR.
        out: the folder to write to; None only measures.
        match: whether HR gets the distribution of values of LR.
    """

    scale: int
    hr: Path
    lr: Path
    out: Path | None
    match: bool


@dataclass(frozen=True)
class Outcome:
    """What a pair is.

    Attributes:
        file: the path of HR below its folder.
        kind: one of `KINDS`.
        measured: the place of LR beside HR.
        written: the same of the written files; None where none were.
        why: the reason why it was not written, or cannot be read.
        loses_place: the file whose place on Earth is lost in what was written; empty where there is none.
    """

    file: str
    kind: str
    measured: Alignment = field(default_factory=lambda: Alignment(0))
    written: Alignment | None = None
    why: str = ""
    loses_place: str = ""


def examine(pair: tuple[Path, Path], *, job: Job) -> Outcome:
    """Measure a pair, and write it where that is asked for."""
    hr_path, lr_path = pair
    file = hr_path.relative_to(job.hr).as_posix()
    try:
        hr, lr = read_side(hr_path), read_side(lr_path)
    except UnreadableImageError as error:
        return Outcome(file, UNREADABLE, why=str(error))
    measured = measure_pair(hr.side, lr.side, scale=job.scale)
    kind = verdict(measured, scale=job.scale)
    if job.out is None or kind not in (ALIGNED, SHIFTED):
        return Outcome(file, kind, measured, why=MEANING.get(kind, ""))
    shift = (measured.down, measured.right) if kind == SHIFTED else (0.0, 0.0)
    rows, columns = (
        span(move, hr=whole, lr=part, scale=job.scale)
        for move, whole, part in zip(shift, hr.side.size, lr.side.size, strict=True)
    )
    new_hr, new_lr = aligned(hr.side, lr.side, rows=rows, columns=columns, match=job.match)
    after = measure_pair(new_hr, new_lr, scale=job.scale)
    if verdict(after, scale=job.scale) != ALIGNED:
        return Outcome(file, kind, measured, why=f"{verdict(after, scale=job.scale)} after it was moved")
    corner = (rows.origin, columns.origin)
    write_side(target_of(hr_path, root=job.hr, folder=job.out / "HR"), new_hr, hr, corner=corner)
    corner = (rows.start, columns.start)
    write_side(target_of(lr_path, root=job.lr, folder=job.out / "LR"), new_lr, lr, corner=corner)
    lost = next((each.path.name for each in (hr, lr) if each.loses_place), "")
    return Outcome(file, kind, measured, after, loses_place=lost)
