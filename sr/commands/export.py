"""`sr-export`: a trained generator in a format that other programs read."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sr.cli.errors import readable_errors
from sr.cli.nets import add_net
from sr.cli.trust import add_trust
from sr.cli.version import add_version
from sr.export.formats import FORMATS


def main() -> None:
    """The program, from the command line to the exit status: 0, or 1 with a message and no new file."""
    options = parse(sys.argv[1:])
    from sr.programs.export import run  # the help needs none of it

    with readable_errors():
        run(options)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sr-export",
        description="Write a trained generator for other programs, and check what was written.",
    )
    add_net(parser)
    parser.add_argument("--format", required=True, choices=FORMATS)
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        help="a file with the suffix of the format; for huggingface a new folder",
    )
    parser.add_argument(
        "--dtype",
        choices=("fp32", "fp16", "bf16", "int8"),
        help="of the weights in the file; default: fp32, for upscayl fp16",
    )
    parser.add_argument(
        "--calibrate",
        type=Path,
        metavar="DIR",
        help="pictures such as the net will enlarge, for --dtype int8",
    )
    parser.add_argument(
        "--interpolate-with", type=Path, metavar="FILE", help="a second net of the same architecture"
    )
    parser.add_argument("--alpha", type=float, help="share of the second net, from 0 to 1")
    add_trust(parser)
    add_version(parser)
    parser.add_argument("--license", metavar="TEXT", help="of the weights, for the model card")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
