"""What sr-align has found, in words."""

import argparse
import shlex
from collections import Counter
from collections.abc import Sequence

from sr.cli.command_line import typed
from sr.data.registration.verdict import (
    ALIGNED,
    MEANING,
    SHIFTED,
    bound,
    direction,
    known_cause,
    pairs,
    together,
)
from sr.geo.library import INSTALL
from sr.ops.text_table import aligned as in_columns
from sr.ops.whole_file import replacing
from sr.programs.align_pair import KINDS, Job, Outcome

SHOWN = 10  # pairs that are not aligned
LIST = "left_out.txt"


def report(found: Sequence[Outcome], *, scale: int) -> list[str]:
    """What was measured, with the worst pairs by name."""
    counts = Counter(each.kind for each in found)
    lines = [
        f"{pairs(len(found))} at x{scale}: "
        + ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind])
    ]
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
        lines += [f"{kind}: {MEANING[kind]}" for kind in MEANING if counts[kind]]
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
    return (
        each.file,
        each.kind,
        f"{measured.down:+.2f}",
        f"{measured.right:+.2f}",
        *(f"{n:.2f}" for n in numbers),
    )


def suggest(found: Sequence[Outcome], options: argparse.Namespace) -> int:
    """Print what to type next. Returns the exit status."""
    if any(each.kind == SHIFTED for each in found):
        words = ["sr-align", str(options.hr), str(options.lr), "--scale", str(options.scale)]
        words += ["--lr-name", options.lr_name] if options.lr_name else []
        print(f"next: {shlex.join(words)} --out DIR")
    return int(any(each.kind != ALIGNED for each in found))


def say_written(found: Sequence[Outcome], job: Job, *, bands: int) -> int:
    """Print what was written, list what was not, and say how HR of so many bands are trained on. Returns the status."""
    assert job.out is not None
    written, left = ([each for each in found if (each.written is not None) == side] for side in (True, False))
    after = together([each.written for each in written if each.written is not None])
    if after is not None:
        moved = sum(each.kind == SHIFTED for each in written)
        how = f"{moved} moved, {len(written) - moved} in their place"
        print(
            f"\n{pairs(len(written))} written to {job.out / 'HR'} and {job.out / 'LR'}, {how}: now {after.apart}"
        )
    if lost := [each.loses_place for each in written if each.loses_place]:
        print(f"the place on Earth of {pairs(len(lost))} is lost ({lost[0]}): {INSTALL} keeps it")
    if left:
        file = job.out / LIST
        with replacing(file) as out:
            out.write("".join(f"{each.file}  # {each.kind}: {each.why}\n" for each in left).encode())
        print(f"{pairs(len(left))} left out: named in {file}, which is a list for data.exclude with {job.hr}")
    if written:
        words = [
            f"data.train_dir={job.out / 'HR'}",
            f"data.train_lr_dir={job.out / 'LR'}",
            f"scale={job.scale}",
        ]
        words += [f"channels={bands}"] if bands != 3 else []
        print(f"next: sr-train data=paired {' '.join(map(typed, words))}")
    return int(bool(left))
