"""`sr-check`: is a folder fit to be trained on?"""

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
        from sr.programs.check import run  # the help needs none of it

        with readable_errors():
            sys.exit(run(options))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(INTERRUPTED)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sr-check",
        description="Read every image below a folder and report those that training should not use.",
        epilog="Exit status: 0 nothing found, 1 something found or an error, 2 wrong arguments.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="of the training to come, as for sr-train: experiment=NAME, data.hr_patch_size=N, channels=N, ...",
    )
    parser.add_argument(
        "--config-dir", type=Path, metavar="DIR", help="folder of your own experiments, as for sr-train"
    )
    parser.add_argument("--workers", type=int, default=usable_cores(), help="processes (one per core)")
    parser.add_argument("--out", type=Path, help="write a list for data.exclude")
    add_version(parser)
    options = parser.parse_intermixed_args(arguments)
    if options.workers < 1:
        parser.error(f"--workers {options.workers} must be 1 or more")
    return options


if __name__ == "__main__":
    main()
