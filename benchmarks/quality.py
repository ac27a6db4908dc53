"""Measure how good `experiment=quickstart` is after how many seconds: `python benchmarks/quality.py --hr-dir DIR`.

Only its pixel-loss phase is trained, without the GAN phase that follows. The result is the PSNR (x4, luma, border of 4
pixels cut) of the averaged weights on a directory of HR images, by default the photographs inside scikit-image. Seconds
are wall-clock time from the first iteration on, without validation; the time of the whole program, with its start
(Python, the procedural images), is printed too. Each round is a training with the next seed.
"""

import os
from pathlib import Path
from time import perf_counter
from typing import Any

import harness
import torch
from harness import Result
from train_process import Mark, Training

from sr.archs.bicubic import Bicubic
from sr.data.sources import ImageFiles, sample_photographs
from sr.data.whole_images import WholeImages
from sr.degradations.bicubic import BicubicDegradation
from sr.metrics.protocol import Protocol

SCALE = 4


def train(*, seed: int, hr_dir: Path | None, iterations: int, every: int) -> tuple[list[Mark], float]:
    """The marks of every validation, and the seconds that the whole program took."""
    overrides = [
        "experiment=quickstart",
        f"seed={seed}",
        f"model.ramp.generator_only={iterations}",
        f"trainer.max_steps={iterations}",
        f"data.iterations_per_epoch={every}",
        *([f'data.val_dir="{hr_dir.resolve()}"'] if hr_dir else []),
    ]
    start = perf_counter()
    marks = Training(overrides, every=every).marks()
    return marks, perf_counter() - start


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


def main() -> None:
    options = harness.parser(__doc__, rounds=1)
    options.add_argument(
        "--hr-dir", type=Path, help="directory of HR images; default: the photographs inside scikit-image"
    )
    options.add_argument(
        "--iterations", type=int, default=2400, help="number of iterations; default: 2400, as in quickstart"
    )
    options.add_argument(
        "--every", type=int, default=400, help="number of iterations between two validations"
    )
    arguments = options.parse_args()
    torch.set_num_threads(1)
    if arguments.iterations % arguments.every:
        options.error(f"--iterations={arguments.iterations} must be a multiple of --every={arguments.every}")
    print(f"load average before: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    seconds: dict[str, list[float]] = {}
    psnr: dict[str, list[float]] = {"bicubic": [bicubic_psnr(arguments.hr_dir)] * arguments.rounds}
    for seed in range(arguments.rounds):
        marks, whole = train(
            seed=seed, hr_dir=arguments.hr_dir, iterations=arguments.iterations, every=arguments.every
        )
        for mark in marks:
            name = f"{mark['iteration']} iterations"
            seconds.setdefault(name, []).append(mark["seconds"])
            psnr.setdefault(name, []).append(mark["val/psnr_y"])
        print(f"seed {seed}: {whole:.0f} s in all, of which {marks[-1]['seconds']:.1f} s were training")
    results = [
        Result("quickstart, pixel loss: time", "s", seconds),
        Result("quickstart, pixel loss: PSNR", "dB", psnr),
    ]
    print(f"on {arguments.hr_dir or 'the photographs inside scikit-image'}\n")
    harness.publish(results, file=arguments.json)


if __name__ == "__main__":
    main()
