"""`sr-schemas`: JSON schemas of configuration files, for editors."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sr.cli.errors import readable_errors
from sr.cli.version import add_version


def main() -> None:
    """The program, from the command line to the exit status: 0, or 1 for an error."""
    options = parse(sys.argv[1:])
    with readable_errors():
        from sr.programs.schemas import run  # the help needs none of it

        run(options)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sr-schemas",
        description="Write JSON schemas of configuration files, by which an editor completes and checks them.",
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="folder for the schemas")
    parser.add_argument(
        "--config-dir",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder of groups of your own, whose options and classes belong to the schemas too; may be repeated",
    )
    add_version(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
