"""`sr-upscale`: images in, larger images out."""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from sr.cli.errors import readable_errors
from sr.cli.trust import add_trust
from sr.cli.version import add_version
from sr.ops.exit_status import INTERRUPTED
from sr.pictures.formats import FORMATS
from sr.upscale.engines.names import ENGINES
from sr.upscale.precisions import PRECISIONS


def main() -> None:
    """The program, from the command line to the exit status: 0, 1 where an image failed, 130 after Ctrl-C."""
    options = parse(sys.argv[1:])
    try:
        from sr.programs.upscale import run  # the help needs none of it

        with readable_errors():
            sys.exit(run(options))
    except KeyboardInterrupt:
        print("stopped: before the first image")
        sys.exit(INTERRUPTED)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sr-upscale", description="Upscale images with a trained generator."
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUTS", help="image files, folders, or patterns in quotes"
    )
    parser.add_argument("--ckpt", required=True, help="checkpoint of any ESRGAN-family tool, or of a run")
    parser.add_argument("--out", required=True, type=Path, help="folder for the results")
    add_trust(parser)
    add_version(parser)
    parser.add_argument(
        "--tile",
        type=_tile,
        default="auto",
        help="side of a tile in pixels of the input, margins aside; 0: the whole image at once; default: what memory"
        " allows",
    )
    parser.add_argument("--scale", type=_scale, help="of the result, such as 2.5; default: that of the net")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="auto",
        help="what runs the net; auto: the fastest that agrees with fp32, tried once where there is much to do",
    )
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="auto", help="auto: bf16 where hardware has it"
    )
    parser.add_argument("--format", choices=FORMATS, default="png", help="of the results; default: png")
    parser.add_argument(
        "--skip-existing", action="store_true", help="leave images whose result is there already"
    )
    parser.add_argument(
        "--self-ensemble",
        action="store_true",
        help="average over the 8 flips and turns: better, 8 times slower",
    )
    return parser.parse_intermixed_args(arguments)  # inputs may follow options


def _tile(text: str) -> int | str:
    if text == "auto":
        return text
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither auto nor a number of pixels")
    return int(text)


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not 0 < scale < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return scale


if __name__ == "__main__":
    main()
