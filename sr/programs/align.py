"""Do LR and HR of pairs lie over each other? And pairs that do."""

import argparse
from functools import partial
from pathlib import Path

from sr.data.pairs import check_sizes, match_pairs
from sr.data.sources import ImageFiles
from sr.ops.worker_processes import in_processes
from sr.programs.align_pair import Job, examine
from sr.programs.align_report import LIST, report, say_written, suggest


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
    files = list(zip(hr.paths, lr.paths, strict=True))
    work = partial(examine, job=job)
    found = in_processes(work, files, workers=options.workers, doing="aligning", unit="pair", together=1)
    print("\n".join(report(found, scale=job.scale)))
    if job.out is None:
        return suggest(found, options)
    return say_written(found, job, bands=hr.header(0).bands)


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
                f"--match-histograms: {path} has {found[1]} band(s) of {found[0]}, and {lr.paths[index]} has"
                f" {wanted[1]} of {wanted[0]}"
            )
