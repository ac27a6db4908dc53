"""`sr-pack`: a folder of images -> shards for data=shards."""

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
        from sr.programs.pack import run  # the help needs none of it

        with readable_errors():
            run(options)
    except KeyboardInterrupt:
        print("stopped: the files that were written are removed")
        sys.exit(INTERRUPTED)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sr-pack",
        description="Pack the image files of a folder, as they are, into shards for data=shards.",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="searched recursively for images")
    parser.add_argument(
        "--out", required=True, metavar="FOLDER_OR_URL", help="as /data/shards or s3://bucket/set"
    )
    parser.add_argument(
        "--shard-mb", type=_megabytes, default=256.0, help="of a shard, at most; default: 256"
    )
    parser.add_argument(
        "--shuffle", type=_seed, metavar="SEED", help="pack in a random order; default: by path"
    )
    parser.add_argument(
        "--on-error", choices=("raise", "skip"), default="raise", help="what an unreadable file does"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the shards that are in the folder")
    add_version(parser)
    return parser.parse_args(arguments)


def _megabytes(text: str) -> float:
    try:
        size = float(text)
    except ValueError:
        size = 0.0
    if not 0 < size < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return size


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed, which is 0 or more")
    return int(text)


if __name__ == "__main__":
    main()
