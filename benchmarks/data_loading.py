"""Measure how fast training images are read: `python benchmarks/data_loading.py`.

Everything runs on one thread. The files are PNGs of 2040 x 1356 pixels, which are mosaics of the photographs inside
scikit-image, and the same mosaics cut into sub-images of 480 pixels. The cache is a folder beside them, or shared
memory. A crop is a square that is copied out of an image. A pair is all the work that a loader worker does for a sample
with degradation=bicubic. The variants alternate in every round, and the medians of CPU time are shown. Only the first
reading of a cache that is not in memory is measured in wall-clock time, since it waits for the disk of this machine.
"""

import argparse
import logging
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, thread_time

import albumentations
import harness
import numpy as np
import torch
from harness import Result

from sr.data.cache.cached_images import CachedImages, cached
from sr.data.cache.pixel_file import expect_rows
from sr.data.loading import prepare_worker
from sr.data.pack.packing import find_originals, pack
from sr.data.patches import Augmentation, SynthesizedPatches
from sr.data.sampler import Draw
from sr.data.shards.images import ShardImages
from sr.data.shards.storage import Storage
from sr.data.sources import ImageFiles, ImageSource, sample_photographs
from sr.degradations.bicubic import BicubicDegradation
from sr.pictures.writing import write_png

HEIGHT, WIDTH = 1356, 2040
SIDE, STEP = 480, 240  # side and distance of the sub-images in pixels, as most projects cut them
SECONDS = 0.4  # the time for one variant in one round, approximately


def write_images(root: Path, *, count: int) -> None:
    """Write mosaics of mirrored photographs to the folder `large`, and their sub-images to the folder `cut`."""
    photographs = sample_photographs("train")
    order = [index for index in range(len(photographs)) if min(photographs.size(index)) > 400]
    for number in range(count):
        tile = photographs[order[number % len(order)]]
        spare = (max(HEIGHT - tile.shape[0], 0), max(WIDTH - tile.shape[1], 0))
        mosaic = np.pad(tile, ((0, spare[0]), (0, spare[1]), (0, 0)), mode="symmetric")[:HEIGHT, :WIDTH]
        rng = np.random.default_rng(number)
        # Without noise the mirrored tiles would repeat exactly and compress better than photographs do.
        mosaic = np.clip(mosaic + rng.integers(-2, 3, mosaic.shape), 0, 255).astype(np.uint8)
        write_png(root / "large" / f"{number}.png", mosaic)
        for top in range(0, HEIGHT - SIDE + 1, STEP):
            for left in range(0, WIDTH - SIDE + 1, STEP):
                part = mosaic[top : top + SIDE, left : left + SIDE]
                write_png(root / "cut" / f"{number}_{top}_{left}.png", part)


def read_crop(images: ImageSource, size: int, rng: np.random.Generator) -> np.ndarray:
    return copy_crop(images[int(rng.integers(len(images)))], size, rng)


def copy_crop(image: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    top, left = (int(rng.integers(side - size + 1)) for side in image.shape[:2])
    expect_rows(image, top, top + size)
    return image[top : top + size, left : left + size].copy()


def rate(work: Callable[[], object], *, clock: Callable[[], float] = thread_time) -> float:
    """The number of calls per second, from as many calls as fit into SECONDS, but at least three."""
    calls, start = 0, clock()
    while calls < 3 or clock() - start < SECONDS:
        work()
        calls += 1
    return calls / (clock() - start)


def forget_pages(path: Path) -> None:
    """Make the system read a file from its disk again."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def first_readings(files: ImageFiles, folder: str, size: int, seed: int) -> float:
    """Crops per second from a cache that is not in memory; one crop is taken from each image."""
    fresh = cached(files, cache="disk", cache_dir=folder)
    assert isinstance(fresh, CachedImages)
    fresh.open()
    # This works because no pixel has been read through the mapping yet: pages in use would stay in memory.
    forget_pages(fresh.folder.pixels)
    rng = np.random.default_rng(seed)
    start = perf_counter()
    for number in rng.permutation(len(files)):
        copy_crop(fresh[int(number)], size, rng)
    return len(files) / (perf_counter() - start)


def training_set(images: ImageSource, size: int) -> SynthesizedPatches:
    return SynthesizedPatches(
        images=images,
        degradation=BicubicDegradation(scale=4),
        hr_patch_size=size,
        augmentation=Augmentation([albumentations.D4(p=1.0)]),
        sharpen=None,
        on_error="raise",
    )


def in_shards(folder: Path, out: Path) -> ShardImages:
    """The files of a folder, packed into tar files of a few images each, which are read without a cache."""
    storage = Storage(str(out))
    originals, _ = find_originals(folder, on_error="raise", progress=lambda paths: paths)
    shards = pack(originals, storage, shard_bytes=10**7, shuffle=None)
    return ShardImages(shards, storage=storage, cache=None)


def measure(root: Path, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """The crops or pairs per second of every variant, one number for each round."""
    size, rounds, folder = arguments.crop, arguments.rounds, str(root / "cache")
    large, cut = (ImageFiles.from_directory(root / name) for name in ("large", "cut"))
    sources: dict[str, ImageSource] = {
        "decoding 2K PNG": large,
        f"decoding {SIDE} px sub-images": cut,
        f"cache=disk, {SIDE} px sub-images": cached(cut, cache="disk", cache_dir=folder),
        "cache=disk, 2K": cached(large, cache="disk", cache_dir=folder),
        "cache=ram, 2K": cached(large, cache="ram", cache_dir=None),
        "shards, 2K PNG": in_shards(root / "large", root / "shards"),
        f"shards, {SIDE} px sub-images": in_shards(root / "cut", root / "cut_shards"),
    }
    for images in sources.values():
        if isinstance(images, CachedImages):
            start = perf_counter()
            images.settle()
            seconds = perf_counter() - start
            print(
                f"{images.folder.setting}: {len(images)} images were decoded and written in {seconds:.1f} s"
            )
    rng = np.random.default_rng(0)
    sets = {
        f"pairs, {name}": training_set(sources[key], size)
        for name, key in (
            ("no cache", "decoding 2K PNG"),
            ("disk", "cache=disk, 2K"),
            ("ram", "cache=ram, 2K"),
        )
    }
    rates: defaultdict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        for name, images in sources.items():
            rates[name].append(rate(lambda images=images: read_crop(images, size, rng)))
        rates["cache=disk, 2K, first time"].append(first_readings(large, str(root / "cold"), size, number))
        for name, patches in sets.items():
            drawn = iter(range(10**9))

            def pair(patches: SynthesizedPatches = patches, drawn: object = drawn) -> None:
                position = next(drawn)  # type: ignore[call-overload]
                patches[Draw(image=position % len(patches), seed=(0, position))]

            rates[name].append(rate(pair))
    return {name: values[1:] for name, values in rates.items()}  # the first round warms up


def main() -> None:
    options = harness.parser(__doc__, rounds=5)
    options.add_argument("--images", type=int, default=12, help="number of 2K images that are made")
    options.add_argument(
        "--crop", type=int, default=128, help="side of the crops and of the HR patches, in pixels"
    )
    options.add_argument(
        "--folder",
        help="existing folder for the images and the cache during the run; default: that of the system",
    )
    arguments = options.parse_args()
    torch.set_num_threads(1)
    prepare_worker(0)
    logging.disable()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as root:
        write_images(Path(root), count=arguments.images)
        rates = measure(Path(root), arguments)
    prefix = "pairs, "
    crops = {name: values for name, values in rates.items() if not name.startswith(prefix)}
    pairs = {name.removeprefix(prefix): values for name, values in rates.items() if name.startswith(prefix)}
    which = f"of {arguments.crop} from {arguments.images} images of {WIDTH} x {HEIGHT}"
    results = [
        Result(f"crops {which}", "crops/s", crops, "decoding 2K PNG"),
        Result(f"training pairs {which}", "pairs/s", pairs, "no cache"),
    ]
    print()
    harness.publish(results, file=arguments.json)


if __name__ == "__main__":
    main()
