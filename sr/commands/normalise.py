"""`sr-normalise`: the values of a folder of images -> a file for data.normalise."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sr.cli.errors import readable_errors
from sr.cli.version import add_version
from sr.ops.exit_status import INTERRUPTED


def main() -> None:
    """The program, from the command line to the exit status: 0, 1 for an error, 130 after Ctrl-C."""
    options = parse(sys.argv[1:])
    try:
        from sr.programs.normalise import run  # the help needs none of it

        with readable_errors():
            run(options)
    except KeyboardInterrupt:
        print("stopped: nothing was written", file=sys.stderr)
        sys.exit(INTERRUPTED)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sr-normalise",
        description="Find what the values of a folder of images are, band by band, and write it for data.normalise.",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="searched recursively for images")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="a JSON file")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--percentiles",
        nargs=2,
        type=float,
        default=(1.0, 99.0),
        metavar=("LOW", "HIGH"),
        help="of the values, which become 0 and 1; default: 1 99",
    )
    kind.add_argument(
        "--deviation", action="store_true", help="mean - 3 deviations become 0, mean + 3 deviations 1"
    )
    add_version(parser)
    options = parser.parse_args(arguments)
    low, high = options.percentiles
    if not 0 <= low < high <= 100:
        parser.error(f"--percentiles {low:g} {high:g} must be two rising numbers from 0 to 100")
    return options


if __name__ == "__main__":
    main()
