"""Measure how fast training pairs are made: `python benchmarks/degradations.py`.

Everything runs on one thread, with the images in memory. The first measurement is all the work that a loader worker
does for a pair, except decoding the file: cutting the window, flips, unsharp mask, drawing, every stage, trimming, and
the conversion to tensors. The second is the same chain as a plain PyTorch batch, as most projects write it. The third
is each stage alone. Times are CPU time of the thread, which other processes disturb less than wall-clock time. The
variants alternate in every round, and medians are shown.
"""

from collections import defaultdict
from collections.abc import Callable
from itertools import count
from statistics import median
from time import thread_time
from typing import Any

import albumentations
import harness
import numpy as np
import torch
from harness import Result, interleave
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch_degradation import TorchDegradation, unsharp_mask

from sr.cli.shipped import shipped_configuration
from sr.config import register_schemas
from sr.data.loading import prepare_worker
from sr.data.patches import Augmentation, SynthesizedPatches
from sr.data.sampler import Draw
from sr.data.sources import sample_photographs
from sr.degradations import kernels
from sr.degradations.pipeline import Degradation
from sr.degradations.sharpen import UnsharpMask
from sr.run.directory import register_resolvers

CROP = 384
PAIR = 256
BATCH = 12
FIELD = "PyTorch batch"


class InMemory:
    """The photographs inside scikit-image, decoded and kept in memory."""

    def __init__(self) -> None:
        files = sample_photographs("train", channels=3)
        self.images = [files[index] for index in range(len(files))]
        self.names = [files.name(index) for index in range(len(files))]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.images[index]

    def name(self, index: int) -> str:
        return self.names[index]

    def listing(self) -> list[str]:
        return self.names


def load(name: str) -> Degradation:
    """The degradation of conf/degradation/<name>.yaml at x4, with a margin that makes the window CROP pixels wide."""
    register_schemas()
    register_resolvers()
    with initialize_config_dir(str(shipped_configuration()), version_base="1.3"):
        cfg = compose("train", overrides=["run_dir=unused", f"degradation={name}"])
    if "margin" in cfg.degradation:  # bicubic has no such setting
        cfg.degradation.margin = (CROP - PAIR) // 2
    degradation: Degradation = instantiate(cfg.degradation)
    return degradation


def pairs_per_second(patches: SynthesizedPatches, *, pairs: int, first: int) -> float:
    start = thread_time()
    for position in range(first, first + pairs):
        patches[Draw(image=position % len(patches), seed=(0, position))]
    return pairs / (thread_time() - start)


def torch_batch(images: InMemory) -> torch.Tensor:
    """(BATCH, 3, CROP, CROP) crops of different photographs, in [0, 1]."""
    large = [image for image in images.images if min(image.shape[:2]) >= CROP]
    crops = [large[number % len(large)][:CROP, :CROP] for number in range(BATCH)]
    return torch.from_numpy(np.stack(crops).transpose(0, 3, 1, 2).astype(np.float32) / 255).contiguous()


def seconds_of(work: Callable[[], Any]) -> float:
    start = thread_time()
    work()
    return thread_time() - start


def kernel_seconds() -> float:
    """The time for three kernels of the kinds that a sample of the second-order degradation needs."""
    turned = {"sigma_x": 2.0, "sigma_y": 0.7, "rotation": 1.0}
    return seconds_of(
        lambda: (
            kernels.gaussian(21, **turned),
            kernels.generalized_gaussian(21, beta=0.7, **turned),
            kernels.sinc(21, cutoff=1.5),
        )
    )


def milliseconds_by_stage(patches: SynthesizedPatches, *, samples: int) -> dict[str, float]:
    """The mean time of each stage per pair; a pair in which the stage does not happen counts as zero."""
    assert isinstance(patches.degradation, Degradation)
    seconds: defaultdict[str, float] = defaultdict(float)

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = thread_time()
        result = work()
        seconds[name] += thread_time() - start
        return result

    window = patches.images[0][:CROP, :CROP].astype(np.float32) / 255
    sharpen = patches.sharpen
    assert sharpen is not None
    for number in range(samples):
        image = timed("unsharp mask", lambda: sharpen(window))
        rng = np.random.default_rng((1, number))
        record = timed("drawing", lambda rng=rng: patches.degradation.draw(rng))
        for path, step in record.steps.items():
            image = timed(path, lambda step=step, image=image: step(image, hr_size=(CROP, CROP)))
    return {name: 1000 * spent / samples for name, spent in seconds.items()}


def main() -> None:
    options = harness.parser(__doc__, rounds=7)
    options.add_argument("--degradation", default="realesrgan", help="name of a file in conf/degradation")
    options.add_argument("--pairs", type=int, default=120, help="number of pairs in each round")
    options.add_argument("--no-stages", action="store_true", help="do not measure the stages one by one")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    prepare_worker(0)
    images = InMemory()
    patches = SynthesizedPatches(
        images=images,
        degradation=load(arguments.degradation),
        hr_patch_size=PAIR,
        augmentation=Augmentation([albumentations.D4(p=1.0)]),
        sharpen=UnsharpMask(),
        on_error="raise",
    )
    reference, batch = TorchDegradation(scale=4, seed=0), torch_batch(images)
    pairs_per_second(patches, pairs=40, first=0)  # fills tables and caches
    positions = count(step=arguments.pairs)
    measured = interleave(
        {
            "ours": lambda: pairs_per_second(patches, pairs=arguments.pairs, first=next(positions)),
            FIELD: lambda: BATCH / seconds_of(lambda: reference(batch)),
            "sharpening": lambda: seconds_of(lambda: unsharp_mask(batch)) / BATCH,
        },
        rounds=arguments.rounds,
    )
    share = median(measured.pop("sharpening")) * median(measured[FIELD])
    title = f"degradation={arguments.degradation}, HR {CROP} cropped to {PAIR}"
    results = [Result(title, "pairs/s", measured, FIELD)]
    if not arguments.no_stages:
        stages = milliseconds_by_stage(patches, samples=2 * arguments.pairs)
        values = {name: [spent] for name, spent in stages.items()}
        results.append(Result(f"stages of {arguments.degradation}, a pair", "ms", values))
    harness.publish(results, file=arguments.json)
    print(f"\n{100 * share:.0f} % of the PyTorch batch is its unsharp mask, a 51 x 51 convolution")
    print(f"three 21-tap kernels: {1000 * median(kernel_seconds() for _ in range(20)):.2f} ms")


if __name__ == "__main__":
    main()
