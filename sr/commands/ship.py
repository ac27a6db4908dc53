"""`python -m sr.commands.ship`: a finished run of a recipe in conf/experiment/zoo becomes a net in the package."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sr.cli.errors import readable_errors
from sr.zoo.shipped import FOLDER


def main() -> None:
    """The program, from the command line to the exit status: 0, or 1 with a message and no new file."""
    options = parse(sys.argv[1:])
    from sr.cli.hydra_errors import explain_hydra  # the help needs none of it
    from sr.programs.ship import run

    with readable_errors(explain_hydra):
        run(options)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sr.commands.ship",
        description="Measure the net of a finished run, and write it with its card as a net in the package.",
    )
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, help="the directory of the run")
    parser.add_argument(
        "--name", required=True, help="of the net; classic-x4 is made by experiment=zoo/classic_x4"
    )
    parser.add_argument(
        "--set",
        dest="sets",
        action="append",
        default=[],
        type=_named,
        metavar="NAME=DIR",
        help="HR images to measure it on, beside the photographs inside scikit-image; may be repeated",
    )
    parser.add_argument(
        "--draws", type=int, default=1, help="of a random degradation for each image; default: 1"
    )
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the files; default: the package")
    return parser.parse_args(arguments)


def _named(text: str) -> tuple[str, str]:
    name, found, directory = text.partition("=")
    if not (name and found and directory):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=DIR, such as set5=Set5/HR")
    return name, directory


if __name__ == "__main__":
    main()
