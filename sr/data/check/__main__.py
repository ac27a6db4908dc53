"""Is a folder fit to be trained on? `python -m sr.data.check DIR`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version

import cv2
from tqdm import tqdm

from sr.cli.errors import readable_errors
from sr.data.check.findings import EXCLUDED, KINDS, Examined, Finding, duplicates, examine
from sr.ops.exit_status import INTERRUPTED
from sr.ops.hardware import usable_cores
from sr.ops.processes import end_with_parent
from sr.ops.whole_file import replacing
from sr.pictures.listing import list_images

SHOWN = 5  # number of files of each kind that are shown


def main() -> None:
    try:
        with readable_errors():
            sys.exit(run(parse(sys.argv[1:])))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(INTERRUPTED)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sr.data.check",
        description="Read every image below a folder and report those that training should not use.",
        epilog="Exit status: 0 nothing found, 1 something found or an error, 2 wrong arguments.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--hr-patch-size", type=int, default=384, help="side of the patches (384)")
    parser.add_argument("--channels", type=int, default=3, help="that training asks for (3)")
    parser.add_argument("--workers", type=int, default=usable_cores(), help="processes (one per core)")
    parser.add_argument("--out", type=Path, help="write a list for data.exclude")
    options = parser.parse_args(arguments)
    for name in ("hr_patch_size", "channels", "workers"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} {getattr(options, name)} must be 1 or more")
    return options


def run(options: argparse.Namespace) -> int:
    paths = list_images(options.folder)
    examined = examine_all(paths, options)
    found = [finding for each in examined for finding in each.findings] + duplicates(examined)
    root = options.folder.expanduser()
    print(summary(found, images=len(paths), root=root))
    if options.out is not None:
        write_list(options.out, found, root=root)
        print(f"\n{options.out}   for data.exclude={options.out}")
    return 1 if found else 0


def examine_all(paths: Sequence[Path], options: argparse.Namespace) -> list[Examined]:
    work = partial(examine, channels=options.channels, smallest=options.hr_patch_size)
    with (
        ProcessPoolExecutor(options.workers, initializer=_prepare_worker) as pool,
        tqdm(total=len(paths), unit="image", desc="checking", leave=False, disable=None) as bar,
    ):
        examined = []
        try:
            for each in pool.map(work, paths, chunksize=8):
                examined.append(each)
                bar.update()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return examined


def _prepare_worker() -> None:
    cv2.setNumThreads(1)
    end_with_parent(signal.SIGKILL)


def summary(found: Sequence[Finding], *, images: int, root: Path) -> str:
    by_kind = {kind: [each for each in found if each.kind == kind] for kind in KINDS}
    concerned = len({each.path for each in found if each.kind in EXCLUDED})
    lines = [f"{images} images, {concerned} that training should not use"]
    lines += [f"  {kind:11} {len(of):6}" for kind, of in by_kind.items()]
    for kind, of in by_kind.items():
        if of:
            lines += ["", f"{kind}:"]
            lines += [f"  {shown(each, root)}" for each in of[:SHOWN]]
            lines += [f"  and {len(of) - SHOWN} more"] * (len(of) > SHOWN)
    return "\n".join(lines)


def shown(finding: Finding, root: Path) -> str:
    return f"{relative(finding, root)}   {finding.detail.replace(f'{root}{os.sep}', '')}"


def relative(finding: Finding, root: Path) -> str:
    return finding.path.relative_to(root).as_posix()


def write_list(file: Path, found: Sequence[Finding], *, root: Path) -> None:
    """Write one path below `root` per line, each once, followed by the reasons."""
    reasons: dict[str, list[str]] = {}
    for each in found:
        if each.kind in EXCLUDED:
            detail = each.detail.replace(f"{root}{os.sep}", "")
            reasons.setdefault(relative(each, root), []).append(f"{each.kind}: {detail}")
    lines = [f"{path}  # {'; '.join(why)}" for path, why in sorted(reasons.items())]
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as out:
        out.write("".join(f"{line}\n" for line in lines).encode())


if __name__ == "__main__":
    main()
