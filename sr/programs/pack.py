"""A folder of images -> shards for data=shards: `python -m sr.data.pack DIR --out FOLDER_OR_URL`."""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version

from tqdm import tqdm

from sr.cli.errors import readable_errors
from sr.data.cache.folder import gigabytes
from sr.data.pack.packing import check_empty, find_originals, pack
from sr.data.shards.storage import Storage
from sr.ops.exit_status import INTERRUPTED


def main() -> None:
    """The program, from the command line to the exit status: 0, 1 for an error, 130 after Ctrl-C."""
    options = parse(sys.argv[1:])
    try:
        with readable_errors():
            run(options)
    except KeyboardInterrupt:
        print("stopped: the files that were written are removed")
        sys.exit(INTERRUPTED)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sr.data.pack",
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


def run(options: argparse.Namespace) -> None:
    """Pack the folder; every mistake is found before the first byte is written."""
    storage = Storage(options.out)
    check_empty(storage, overwrite=options.overwrite)
    bar = partial(tqdm, unit="image", disable=None)
    originals, skipped = find_originals(
        options.folder, on_error=options.on_error, progress=partial(bar, desc="headers", leave=False)
    )
    with bar(total=len(originals), desc="packing") as shown:
        shards = pack(
            originals,
            storage,
            shard_bytes=int(options.shard_mb * 1e6),
            shuffle=options.shuffle,
            report=lambda shard: shown.update(len(shard.images)),
        )
    total, largest = sum(shard.bytes for shard in shards), max(shard.bytes for shard in shards)
    left_out = f", {skipped} skipped" if skipped else ""
    print(
        f"packed {len(originals)} images{left_out} into {len(shards)} shards in {storage.url}:"
        f" {gigabytes(total)}, the largest {gigabytes(largest)}"
    )
    print(f"next: python train.py data=shards data.url={storage.url}")


if __name__ == "__main__":
    main()
