"""`sr-align`: do LR and HR of pairs lie over each other?"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sr.cli.errors import readable_errors
from sr.cli.version import add_version
from sr.ops.cores import usable_cores
from sr.ops.exit_status import INTERRUPTED


def main() -> None:
    """The program, from the command line to the exit status: 0, 1 for a finding or an error, 130 after Ctrl-C."""
    options = parse(sys.argv[1:])
    try:
        from sr.programs.align import run  # the help needs none of it

        with readable_errors():
            sys.exit(run(options))
    except KeyboardInterrupt:
        left = f"; {options.out} holds a part of the pairs" if options.out else ""
        print(f"stopped{left}", file=sys.stderr)
        sys.exit(INTERRUPTED)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sr-align",
        description="Measure by how much LR and HR of each pair lie beside each other, and write pairs that do not.",
        epilog="Exit status: 0 all pairs are aligned (or written), 1 some are not, or an error, 2 wrong arguments.",
    )
    parser.add_argument("hr", metavar="HR_DIR", type=Path, help="searched recursively for images")
    parser.add_argument("lr", metavar="LR_DIR", type=Path, help="the LR images of the same names")
    parser.add_argument(
        "--scale", type=int, default=4, help="HR pixels of an LR pixel, along a side; default: 4"
    )
    parser.add_argument(
        "--lr-name",
        metavar="PATTERN",
        help='names of the LR files, as "{name}x4"; default: the usual ones, as for data=paired',
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write DIR/HR and DIR/LR, with HR moved onto the pixels of LR"
    )
    parser.add_argument(
        "--match-histograms",
        action="store_true",
        help="give HR the distribution of values that LR has, band by band",
    )
    parser.add_argument("--workers", type=int, default=usable_cores(), help="processes (one per core)")
    add_version(parser)
    options = parser.parse_args(arguments)
    for name in ("scale", "workers"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} {getattr(options, name)} must be 1 or more")
    if options.match_histograms and options.out is None:
        parser.error("--match-histograms changes HR, and nothing is written: name a folder with --out DIR")
    return options


if __name__ == "__main__":
    main()
