"""`sr-workspace`: our layout of panels as a saved view of a W&B project."""

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
        from sr.programs.workspace import run  # the help needs none of it

        run(options)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sr-workspace", description="Make our layout of panels a saved view of a W&B project."
    )
    parser.add_argument(
        "project", metavar="ENTITY/PROJECT", help="the project, as in the address of its page"
    )
    parser.add_argument("--monitor", default="psnr_y", help="the metric of best.ckpt (default: psnr_y)")
    parser.add_argument("--name", default="super-resolution", help="the name of the view")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the view to a file and send nothing")
    add_version(parser)
    options = parser.parse_args(arguments)
    entity, _, project = options.project.partition("/")
    if not entity or not project or "/" in project:
        parser.error(f"{options.project}: write ENTITY/PROJECT")
    return options


if __name__ == "__main__":
    main()
