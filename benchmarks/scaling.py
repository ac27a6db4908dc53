"""Measure how many more images per second two processes train on: `python benchmarks/scaling.py`.

`train.py` runs with `trainer.devices=1` and `trainer.devices=2`. If there are two GPUs, it uses them with NCCL;
otherwise it runs on the CPU with gloo and one thread in each process. Every process has a batch of its own, so two
processes do twice the work. The best that the machine can give is measured too: two trainings side by side that know
nothing of each other. The variants alternate in every round. Times are wall-clock time, without start and validation.
The load of the machine before is printed, since every other process takes part of a core away. The CPU time per image,
measured in the first process, shows what two processes cost each other even on a busy machine.
"""

import os
from collections.abc import Sequence
from functools import partial

import harness
import torch
from harness import Result, interleave
from train_process import Training

ONE, TWO, APART = "1 process", "2 processes", "2 trainings apart"
WARM_UP = 5  # iterations at the start that are not measured


def measure(
    overrides: Sequence[str], *, processes: int, trainings: int, sizes: tuple[int, int]
) -> tuple[float, float]:
    """The images per second of all trainings together, and the milliseconds of CPU time per image."""
    batch, iterations = sizes
    last = WARM_UP + iterations
    command = [
        "model=psnr",
        "loss=l1",
        "data=dead_leaves",
        "data.num_images=4",
        "data.image_size=160",
        "data.hr_patch_size=128",
        f"data.batch_size={batch}",
        f"data.iterations_per_epoch={last}",
        "data.num_workers=0",  # loader processes would take the core of a training process
        "cpu_threads=1",
        f"trainer.accelerator={'gpu' if torch.cuda.device_count() > 1 else 'cpu'}",
        f"trainer.devices={processes}",
        "trainer.max_epochs=1",
        "trainer.limit_val_batches=0",
        *overrides,
    ]
    started = [Training(command, every=1) for _ in range(trainings)]
    rate = cpu = 0.0
    for training in started:
        marks = {mark["iteration"]: mark for mark in training.marks()}
        seconds, cpu_seconds = (marks[last][key] - marks[WARM_UP][key] for key in ("seconds", "cpu_seconds"))
        rate += processes * batch * iterations / seconds
        cpu += 1000 * cpu_seconds / (batch * iterations) / trainings
    return rate, cpu


def main() -> None:
    options = harness.parser(__doc__, rounds=3)
    options.add_argument("--iterations", type=int, default=15, help="number of iterations that are timed")
    options.add_argument("--batch", type=int, default=4, help="batch size of each process")
    options.add_argument(
        "--no-apart", action="store_true", help="do not measure the two trainings side by side"
    )
    options.add_argument(
        "overrides",
        nargs="*",
        default=["generator=rrdbnet", "generator.num_block=6"],
        help="overrides for train.py; default: RRDBNet of 6 blocks",
    )
    arguments = options.parse_args()
    gpus = torch.cuda.device_count()
    if gpus < 2 and (os.cpu_count() or 1) < 2:
        print("two processes need two GPUs or two cores, so nothing is measured")
        harness.publish([], file=arguments.json)
        return
    sizes = (arguments.batch, arguments.iterations)
    variants = {
        ONE: partial(measure, arguments.overrides, processes=1, trainings=1, sizes=sizes),
        TWO: partial(measure, arguments.overrides, processes=2, trainings=1, sizes=sizes),
    }
    if gpus < 2 and not arguments.no_apart:  # with two GPUs, both trainings would take the first
        variants[APART] = partial(measure, arguments.overrides, processes=1, trainings=2, sizes=sizes)
    print(f"load average before: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores\n")
    measured = interleave(variants, rounds=arguments.rounds)
    rates = {name: [rate for rate, _ in each] for name, each in measured.items()}
    cpu = {name: [spent for _, spent in each] for name, each in measured.items()}
    name = " ".join(arguments.overrides)
    results = [
        Result(f"scaling, {name}", "images/s", rates, ONE),
        Result(f"CPU time of an image, {name}", "ms", cpu, ONE),
    ]
    harness.publish(results, file=arguments.json)


if __name__ == "__main__":
    main()
