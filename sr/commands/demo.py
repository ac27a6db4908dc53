"""`sr-demo`: a local page on which pictures are dropped and compared."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sr.cli.errors import readable_errors
from sr.cli.trust import add_trust
from sr.cli.version import add_version
from sr.upscale.precisions import PRECISIONS


def main() -> None:
    """The program, from the command line to the exit status: 0 after Ctrl-C, 1 for an error."""
    options = parse(sys.argv[1:])
    with readable_errors():
        from sr.programs.demo import run  # the help needs none of it

        run(options)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sr-demo",
        description="Show a page on this machine: drop a picture, enlarge it, compare before and after.",
    )
    parser.add_argument(
        "--ckpt",
        required=True,
        action="append",
        type=Path,
        metavar="FILE",
        help="checkpoint of any ESRGAN-family tool, or of a run; may be repeated, and the page mixes two of one kind",
    )
    add_trust(parser)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="auto", help="auto: bf16 where hardware has it"
    )
    parser.add_argument("--port", type=int, default=7860, help="of the page; default: 7860")
    parser.add_argument("--browser", action="store_true", help="open the page in the browser")
    add_version(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
