"""`sr-upscale`: images and films in, larger ones out."""

import argparse
import math
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from sr.cli.errors import readable_errors
from sr.cli.nets import add_net
from sr.cli.trust import add_trust
from sr.cli.version import add_version
from sr.ops.exit_status import INTERRUPTED
from sr.pictures.formats import FORMATS
from sr.upscale.engines.names import ENGINES
from sr.upscale.precisions import INT8, PRECISIONS
from sr.video.codec_names import CODECS
from sr.zoo.shipped import DEFAULT


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
        prog="sr-upscale", description="Upscale images and films with a trained generator."
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUTS", help="images, films, folders, or patterns in quotes"
    )
    add_net(parser, default=DEFAULT)
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        help="folder for the results, or the name of one film (.mkv, .mp4, .m4v, .mov, .webm)",
    )
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
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="auto",
        help="what runs the net; auto: the fastest that agrees with fp32, tried once where there is much to do",
    )
    parser.add_argument(
        "--precision",
        choices=(*PRECISIONS, INT8),
        default="auto",
        help="auto: bf16 where hardware has it; int8: by calibration, with OpenVINO on a CPU",
    )
    parser.add_argument(
        "--calibrate",
        type=Path,
        metavar="DIR",
        help="pictures that int8 is calibrated with; default: the pictures among the inputs",
    )
    parser.add_argument("--format", choices=FORMATS, default="png", help="of the results; default: png")
    parser.add_argument(
        "--cog", action="store_true", help="georeferenced TIFFs become Cloud Optimized GeoTIFFs"
    )
    parser.add_argument(
        "--skip-existing", action="store_true", help="leave images whose result is there already"
    )
    parser.add_argument(
        "--self-ensemble",
        action="store_true",
        help="average over the 8 flips and turns: better, 8 times slower",
    )
    _add_film(parser.add_argument_group("films (docs/film.md)"))
    return parser.parse_intermixed_args(arguments)  # inputs may follow options


def _add_film(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--resume", action="store_true", help="go on with the finished segments of a run that was stopped"
    )
    group.add_argument(
        "--codec",
        choices=("auto", *CODECS),
        default="auto",
        help="auto: h264 for 8 bits, hevc for more, ffv1 (lossless) for what these cannot hold, av1 in .webm",
    )
    group.add_argument("--crf", type=int, help="constant quality of the codec: lower is better and larger")
    group.add_argument(
        "--pixel-format", default="auto", metavar="NAME", help="such as yuv420p10le; auto: that of the film"
    )
    group.add_argument(
        "--blend",
        type=_blend,
        default=0.0,
        metavar="W",
        help="mix each frame with its neighbours, each of weight W, where the film stands still, against flicker",
    )
    group.add_argument(
        "--segment",
        type=_segment,
        default=250,
        metavar="N",
        help="frames that are encoded as one piece, and lost if the program is killed; default: 250",
    )
    group.add_argument("--frames", action="store_true", help="write the frames of films as numbered pictures")
    group.add_argument("--fps", type=_fps, help="frames of a second, for pictures that become a film")


def _blend(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 <= weight <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return weight


def _segment(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of frames")
    return int(text)


def _fps(text: str) -> Fraction:
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate such as 25, 29.97 or 30000/1001")
    return rate


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
