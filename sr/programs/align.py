"""Do LR and HR of pairs lie over each other? And pairs that do."""

import argparse
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sr.data.pairs import check_sizes, match_pairs
from sr.data.registration.aligning import aligned
from sr.data.registration.alignment import Alignment, measure_pair
from sr.data.registration.moving import span
from sr.data.registration.verdict import (
    ALIGNED,
    SHIFTED,
    UNDECIDED,
    UNEVEN,
    bound,
    direction,
    known_cause,
    together,
    verdict,
)
from sr.data.sources import ImageFiles
from sr.geo.library import INSTALL
from sr.ops.text_table import aligned as in_columns
from sr.ops.whole_file import replacing
from sr.ops.worker_processes import in_processes
from sr.pictures.picture import UnreadableImageError
from sr.programs.align_files import read_side, target_of, write_side

UNREADABLE = "unreadable"
KINDS = (ALIGNED, SHIFTED, UNEVEN, UNDECIDED, UNREADABLE)
MEANING = {
    SHIFTED: "a shift of the whole image, which --out undoes",
    UNEVEN: "the shift differs within the image: LR with aligned corners, turned, of another scale or another view",
    UNDECIDED: "too flat, too small or too unlike to say",
    UNREADABLE: "a file cannot be read",
}
SHOWN = 10  # pairs that are not aligned
LIST = "left_out.txt"


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
        measured: how LR and HR lie.
        written: how they lie in what was written; None where nothing was.
        why: the reason why it was not written, or cannot be read.
        loses_place: the file whose place on Earth is lost in what was written; empty where there is none.
    """

    file: str
    kind: str
    measured: Alignment = Alignment(0)
    written: Alignment | None = None
    why: str = ""
    loses_place: str = ""


def run(options: argparse.Namespace) -> int:
    """Measure all pairs, write them where asked for, and print what was found. Returns the exit status.

    Raises:
        FileNotFoundError, NotADirectoryError: a folder does not exist, or it has no image in it.
        ValueError: files without a partner, sizes that do not differ by the scale, or results that are there already.
        UnreadableImageError: the header of a file cannot be read.
    """
    hr, lr = (ImageFiles.from_directory(folder) for folder in (options.hr, options.lr))
    hr, lr = match_pairs(hr, lr, scale=options.scale, lr_name=options.lr_name)
    check_sizes(hr, lr, scale=options.scale)
    job = Job(options.scale, hr.root, lr.root, options.out, options.match_histograms)
    if job.out is not None:
        check_empty(job.out)
    if job.match:
        check_kinds(hr, lr)
    pairs = list(zip(hr.paths, lr.paths, strict=True))
    work = partial(examine, job=job)
    found = in_processes(work, pairs, workers=options.workers, doing="aligning", unit="pair", together=1)
    print("\n".join(report(found, scale=job.scale)))
    if job.out is None:
        return suggest(found, options)
    return say_written(found, job)


def check_empty(out: Path) -> None:
    """Raises ValueError where results would be mixed with what is there."""
    for place in (out / "HR", out / "LR", out / LIST):
        if place.exists() and not (place.is_dir() and not any(place.iterdir())):
            raise ValueError(f"--out {out}: {place} is there already: remove it, or name another folder")


def check_kinds(hr: ImageFiles, lr: ImageFiles) -> None:
    """Raises ValueError for the first pair whose values are not of one kind, so that none can become the other's."""
    for index, path in enumerate(hr.paths):
        found, wanted = ((each.dtype, each.bands) for each in (hr.header(index), lr.header(index)))
        if found != wanted:
            raise ValueError(
                f"--match-histograms: {path} has {found[1]} band(s) of {found[0]}, and {lr.paths[index]} has {wanted[1]} of"
                f" {wanted[0]}"
            )


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


def report(found: Sequence[Outcome], *, scale: int) -> list[str]:
    """What was measured, with the worst pairs by name."""
    counts = Counter(each.kind for each in found)
    lines = [f"{len(found)} pairs at x{scale}: " + ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind])]
    all_together = together([each.measured for each in found])
    if all_together is not None:
        words = "half an HR pixel" if bound(scale) * scale == 0.5 else "as far as can be measured"
        lines.append(f"LR and HR are {all_together.apart}; aligned is up to {bound(scale):g} ({words})")
    wrong = [each for each in found if each.kind != ALIGNED]
    wrong.sort(key=lambda each: (KINDS.index(each.kind), -each.measured.distance, each.file))
    if wrong:
        rows = [("pair", "", "down", "right", "apart", "error", "uneven"), *map(_row, wrong[:SHOWN])]
        lines += ["", *in_columns(rows, left=(0, 1))]
        lines += [f"and {len(wrong) - SHOWN} more"] * (len(wrong) > SHOWN) + [""]
        lines += [f"{kind}: {MEANING[kind]}" for kind in KINDS[1:] if counts[kind]]
    shifted = together([each.measured for each in found if each.kind == SHIFTED])
    if shifted is not None:
        cause = known_cause(shifted.down, shifted.right, scale=scale)
        where = direction(shifted.down, shifted.right)
        lines.append(f"LR of the shifted pairs lies {where} (median){', ' if cause else ''}{cause}")
    return lines


def _row(each: Outcome) -> tuple[str, ...]:
    measured = each.measured
    if not measured.decided:
        return each.file, each.kind, *["-"] * 5
    numbers = (measured.distance, measured.error, measured.spread)
    return each.file, each.kind, f"{measured.down:+.2f}", f"{measured.right:+.2f}", *(f"{n:.2f}" for n in numbers)


def suggest(found: Sequence[Outcome], options: argparse.Namespace) -> int:
    """Print what to type next. Returns the exit status."""
    if any(each.kind == SHIFTED for each in found):
        words = ["sr-align", str(options.hr), str(options.lr), "--scale", str(options.scale)]
        words += ["--lr-name", options.lr_name] if options.lr_name else []
        print(f"next: {shlex.join(words)} --out DIR")
    return int(any(each.kind != ALIGNED for each in found))


def say_written(found: Sequence[Outcome], job: Job) -> int:
    """Print what was written and list what was not. Returns the exit status."""
    assert job.out is not None
    written, left = ([each for each in found if (each.written is not None) == side] for side in (True, False))
    after = together([each.written for each in written if each.written is not None])
    if after is not None:
        moved = sum(each.kind == SHIFTED for each in written)
        how = f"{moved} moved, {len(written) - moved} in their place"
        print(f"\n{len(written)} pairs written to {job.out / 'HR'} and {job.out / 'LR'}, {how}: now {after.apart}")
    if lost := [each.loses_place for each in written if each.loses_place]:
        words = f"the place on Earth of {len(lost)} pairs is lost ({lost[0]})"
        print(f"{words}: {INSTALL} keeps it")
    if left:
        file = job.out / LIST
        with replacing(file) as out:
            out.write("".join(f"{each.file}  # {each.kind}: {each.why}\n" for each in left).encode())
        print(f"{len(left)} pairs are left out: {file} names them, and is a list for data.exclude with {job.hr}")
    if written:
        folders = f"data.train_dir={job.out / 'HR'} data.train_lr_dir={job.out / 'LR'}"
        print(f"next: sr-train data=paired {folders} scale={job.scale}")
    return int(bool(left))
