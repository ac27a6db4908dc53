"""The values of a folder of images -> a file for data.normalise."""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sr.data.statistics import mean_and_deviation, percentiles
from sr.ops.normalisation import ORIGIN, normalisation
from sr.ops.whole_file import replacing
from sr.pictures.listing import list_images
from sr.pictures.reading import read_header


def run(options: argparse.Namespace) -> None:
    """Read the folder and write the file.

    Raises:
        FileNotFoundError, NotADirectoryError: the folder does not exist, or it has no image in it.
        UnreadableImageError: a file cannot be read, or is of another kind than the others.
        ValueError: a band has no data, or a single value.
    """
    paths = list_images(options.folder)
    bar = partial(tqdm, unit="image", desc="reading", leave=False, disable=None)
    numbers: dict[str, Any]
    if options.deviation:
        found = mean_and_deviation(paths, progress=bar)
        numbers = {"mean": found.means.tolist(), "deviation": found.deviations.tolist()}
        origin: dict[str, Any] = {"values": found.counts.tolist()}
    else:
        low, high = percentiles(paths, options.percentiles, progress=bar)
        numbers = {"low": low.tolist(), "high": high.tolist()}
        origin = {"percentiles": list(options.percentiles)}
    header = read_header(paths[0])
    origin = {"images": len(paths), "type": str(header.dtype), **origin}
    normalisation(numbers, key=str(options.folder))  # a band of a single value is found here
    write(options.out, {**numbers, ORIGIN: origin})
    print(f"{len(paths)} images of {header.bands} band(s) of {header.dtype}")
    for band, pair in enumerate(zip(*numbers.values(), strict=True)):
        print(f"  band {band}: " + ", ".join(f"{name} {n:g}" for name, n in zip(numbers, pair, strict=True)))
    print(f"{options.out}   next: sr-train data.normalise={options.out} channels={header.bands}")


def write(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as out:
        out.write((json.dumps(content, indent=1) + "\n").encode())
