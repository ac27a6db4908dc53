"""Measure how good trainings are after how many seconds of one core: `python benchmarks/quality.py --hr-dir DIR`.

A file of benchmarks/variants names the trainings: overrides that all share, and those of each variant. By default it is
the pixel phase of `experiment=quickstart`. Every training is a process of its own that makes its images itself.
Validation is of the averaged weights on a directory of HR images, by default the photographs inside scikit-image: PSNR
at x4 on luma, a border of 4 pixels cut, and what else the variants measure.

Time and quality are measured apart, because the time of an iteration depends on what else the machine does, and what it
learns does not. First come short trainings of all variants, in turn and one at a time: the time of an iteration is its
CPU time, data synthesis included, in each variant's fastest stretch of some iterations. Then every variant is trained
with each seed, and its seconds are iterations times that. `--target` shows the seconds to a PSNR, between two
validations by a straight line; inf means that it was not reached. `--seconds` ends each training after the iterations
that fit in so much time; it is validated twelve times then if there is a target, or else at its end. Variants with
photographs need `--train-dir`. `--json` of a run and `--times` of a later one measure the time once.
"""

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import harness
import torch
from harness import Result
from omegaconf import OmegaConf
from train_process import Mark, side_by_side

from sr.archs.bicubic import Bicubic
from sr.data.sources import ImageFiles, sample_photographs
from sr.data.whole_images import WholeImages
from sr.degradations.bicubic import BicubicDegradation
from sr.metrics.protocol import Protocol

SCALE = 4
FOLDER = Path(__file__).parent / "variants"
ONE_CORE = (
    "cpu_threads=1",
    "data.num_workers=0",
    "trainer.num_sanity_val_steps=0",
    "~callbacks.checkpoints",
    "~callbacks.baseline",
)
PSNR = "val/psnr_y"
TRAIN_DIR = "{train_dir}"  # in the overrides of a variant
VALIDATIONS = 12  # of a training of so many seconds
STRETCH = 48  # iterations; every lazy penalty and preconditioner has its turns in it
TIME = "time of an iteration"


@dataclass(frozen=True)
class Variants:
    """The trainings of a file.

    Attributes:
        shared: the overrides that all have.
        iterations: the length of a training.
        every: the number of iterations between two validations.
        overrides: the overrides of each variant beside those, by its name.
    """

    shared: Sequence[str]
    iterations: int
    every: int
    overrides: Mapping[str, Sequence[str]]


def read(name: str) -> Variants:
    node: Any = OmegaConf.to_container(OmegaConf.load(FOLDER / f"{name}.yaml"))
    overrides = {variant: text.split() for variant, text in node["variants"].items()}
    return Variants(node["shared"].split(), node["iterations"], node["every"], overrides)


def with_photographs(overrides: Sequence[str], folder: Path | None) -> list[str] | None:
    """The overrides with the directory of photographs where they ask for it; None where there is no directory."""
    if folder is None:
        return None if any(TRAIN_DIR in each for each in overrides) else list(overrides)
    return [each.replace(TRAIN_DIR, f'"{folder.resolve()}"') for each in overrides]


def bicubic_psnr(hr_dir: Path | None) -> float:
    """The mean PSNR of bicubic upscaling on the same images, in dB."""
    images: Any = ImageFiles.from_directory(str(hr_dir)) if hr_dir else sample_photographs("val")
    pairs = WholeImages(hr=images, scale=SCALE, degradation=BicubicDegradation(scale=SCALE))
    protocol, net = Protocol(crop_border=SCALE), Bicubic(scale=SCALE)
    values = [
        protocol(net(pairs[index]["lr"][None]), pairs[index]["hr"][None])["psnr_y"].item()
        for index in range(len(pairs))
    ]
    return sum(values) / len(values)


def milliseconds(overrides: Mapping[str, Sequence[str]], *, rounds: int) -> dict[str, list[float]]:
    """The CPU time of an iteration in the fastest of two stretches, for every variant and round."""
    last = 3 * STRETCH  # the first one makes the images and fills caches
    short = [f"trainer.max_steps={last}", "trainer.limit_val_batches=0"]
    found: dict[str, list[float]] = {name: [] for name in overrides}
    for _ in range(rounds):
        commands = {name: [*each, *short] for name, each in overrides.items()}
        for name, marks in side_by_side(commands, every=STRETCH, jobs=1):
            times = [mark["cpu_seconds"] for mark in marks]
            stretch = min(b - a for a, b in pairwise(times))
            found[name].append(1000 * stretch / STRETCH)
    return found


def iterations_to(target: float, marks: Sequence[Mark]) -> float:
    """Where PSNR reaches the target, between two validations by a straight line; inf where it does not."""
    before = {"iteration": 0, PSNR: -math.inf}
    for mark in marks:
        if mark[PSNR] >= target:
            share = (target - before[PSNR]) / (mark[PSNR] - before[PSNR]) if before["iteration"] else 1.0
            return float(before["iteration"] + share * (mark["iteration"] - before["iteration"]))
        before = mark
    return math.inf


def train(
    overrides: Mapping[str, Sequence[str]],
    *,
    lengths: Mapping[str, int],
    every: Mapping[str, int],
    seeds: Sequence[int],
    jobs: int,
) -> dict[str, list[list[Mark]]]:
    """The marks of all validations, by variant and in the order of the seeds."""
    commands = {
        (seed, name): [
            *each,
            f"trainer.max_steps={lengths[name]}",
            f"data.iterations_per_epoch={every[name]}",
            f"seed={seed}",
        ]
        for seed in seeds
        for name, each in overrides.items()
    }
    trainings: dict[str, list[list[Mark]]] = {name: [] for name in overrides}
    for (seed, name), marks in side_by_side(commands, every=1, jobs=jobs):
        validated = [mark for mark in marks if PSNR in mark]
        trainings[name].append(validated)
        print(
            f"{name}, seed {seed}: {validated[-1]['iteration']} iterations, {validated[-1][PSNR]:.2f} dB",
            file=sys.stderr,
            flush=True,
        )
    return trainings


def by_iteration(name: str, seeds: Sequence[Sequence[Mark]], *, each: float) -> list[Result]:
    """Seconds and PSNR at every validation of one variant, whose iterations take `each` milliseconds."""
    rows = {f"{marks[0]['iteration']} iterations": marks for marks in zip(*seeds, strict=True)}
    seconds = {row: [mark["iteration"] * each / 1000 for mark in marks] for row, marks in rows.items()}
    psnr = {row: [mark[PSNR] for mark in marks] for row, marks in rows.items()}
    return [Result(f"{name}: time", "s", seconds), Result(f"{name}: PSNR", "dB", psnr)]


def at_the_end(trainings: Mapping[str, Sequence[Sequence[Mark]]]) -> list[Result]:
    """Iterations and every metric at the last validation."""
    last = {name: [marks[-1] for marks in seeds] for name, seeds in trainings.items()}
    some = next(iter(last.values()))[0]
    return [
        Result(
            f"at the end: {key}", "", {name: [mark[key] for mark in marks] for name, marks in last.items()}
        )
        for key in ("iteration", *sorted(key for key in some if key.startswith("val/")))
    ]


def saved_times(file: Path) -> dict[str, list[float]]:
    """The times of an iteration that an earlier run wrote with `--json`."""
    (result,) = [each for each in json.loads(file.read_text()) if each["benchmark"] == TIME]
    return dict(result["values"])


def main() -> None:
    options = harness.parser(__doc__, rounds=3)
    files = sorted(file.stem for file in FOLDER.glob("*.yaml"))
    options.add_argument("--variants", choices=files, default="quickstart")
    options.add_argument("--only", nargs="+", help="the variants to train; default: all of the file")
    options.add_argument(
        "--seeds", nargs="*", type=int, default=[0], help="without any, times alone are measured"
    )
    options.add_argument(
        "--hr-dir", type=Path, help="directory of HR images; default: the photographs inside scikit-image"
    )
    options.add_argument("--target", nargs="+", type=float, default=[], help="PSNR in dB")
    options.add_argument(
        "--seconds", type=float, help="the time of each training, in place of its iterations"
    )
    options.add_argument("--train-dir", type=Path, help="photographs for the variants that train on such")
    options.add_argument("--times", type=Path, help="file of --json whose times are taken")
    options.add_argument("--jobs", type=int, default=1, help="trainings at the same time, on a core each")
    options.add_argument("--overrides", nargs="+", default=[], help="overrides that all variants get too")
    arguments = options.parse_args()
    variants = read(arguments.variants)
    chosen = arguments.only or list(variants.overrides)
    if unknown := sorted(set(chosen) - set(variants.overrides)):
        options.error(f"unknown variants: {', '.join(unknown)}; choose from {', '.join(variants.overrides)}")
    own = {name: with_photographs(variants.overrides[name], arguments.train_dir) for name in chosen}
    if lacking := [name for name, each in own.items() if each is None]:
        options.error(
            f"{', '.join(lacking)}: trained on photographs: name a directory of them, --train-dir DIR"
        )
    torch.set_num_threads(1)
    print(f"load average before: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    print(f"on {arguments.hr_dir or 'the photographs inside scikit-image'}")
    print(f"bicubic: {bicubic_psnr(arguments.hr_dir):.2f} dB\n", flush=True)
    directory = [f'data.val_dir="{arguments.hr_dir.resolve()}"'] if arguments.hr_dir else []
    shared = [*variants.shared, *ONE_CORE, *directory, *arguments.overrides]
    overrides = {name: [*shared, *(each or [])] for name, each in own.items()}
    times = (
        saved_times(arguments.times) if arguments.times else milliseconds(overrides, rounds=arguments.rounds)
    )
    each = {name: min(times[name]) for name in chosen}
    results = [Result(TIME, "ms", {name: times[name] for name in chosen})]
    if arguments.seeds:
        seconds, often = arguments.seconds, VALIDATIONS if arguments.target else 1
        every = {  # a whole number of times in each training, so that its end is validated
            name: variants.every if seconds is None else max(1, round(1000 * seconds / each[name] / often))
            for name in chosen
        }
        lengths = {name: variants.iterations if seconds is None else often * every[name] for name in chosen}
        trainings = train(
            overrides,
            lengths=lengths,
            every=every,
            seeds=arguments.seeds,
            jobs=arguments.jobs,
        )
        for target in arguments.target:
            reached = {
                name: [iterations_to(target, marks) * each[name] / 1000 for marks in seeds]
                for name, seeds in trainings.items()
            }
            results.append(Result(f"time to {target:g} dB", "s", reached))
        if len(chosen) == 1:
            results += by_iteration(chosen[0], trainings[chosen[0]], each=each[chosen[0]])
        results += at_the_end(trainings)
    harness.publish(results, file=arguments.json)


if __name__ == "__main__":
    main()
