"""How many more images a second two processes train on: `python benchmarks/scaling.py`.

`train.py` with `trainer.devices=1` and `2`: on two GPUs where there are two, with NCCL, else on the CPU, with gloo and
one thread each.
Every process has a batch of its own, so two do twice the work. What the machine could give at best is measured
too: two trainings side by side that know nothing of each other. Rounds alternate; the clock on the wall, without start
and validation; the load of the machine before is printed, since every other process takes part of a core away. CPU time
per image, of the first process, shows what two of them cost each other even on a busy machine.
"""

import os
from collections.abc import Sequence
from functools import partial

import harness
import torch
from harness import Result, interleave
from train_process import Training

ONE, TWO, APART = "1 process", "2 processes", "2 trainings apart"
WARM_UP = 5  # iterations that are left out


def measure(
    overrides: Sequence[str], *, processes: int, trainings: int, sizes: tuple[int, int]
) -> tuple[float, float]:
    """Images per second of all processes of all trainings together, and milliseconds of CPU time per image."""
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
    options.add_argument("--iterations", type=int, default=15, help="that are timed")
    options.add_argument("--batch", type=int, default=4, help="of each process")
    options.add_argument("--no-apart", action="store_true", help="leave out the two trainings side by side")
    options.add_argument(
        "overrides",
        nargs="*",
        default=["generator=rrdbnet", "generator.num_block=6"],
        help="of train.py; default: RRDBNet of 6 blocks",
    )
    arguments = options.parse_args()
    gpus = torch.cuda.device_count()
    if gpus < 2 and (os.cpu_count() or 1) < 2:
        print("two processes need two GPUs or two cores: nothing measured")
        harness.publish([], file=arguments.json)
        return
    sizes = (arguments.batch, arguments.iterations)
    variants = {
        ONE: partial(measure, arguments.overrides, processes=1, trainings=1, sizes=sizes),
        TWO: partial(measure, arguments.overrides, processes=2, trainings=1, sizes=sizes),
    }
    if gpus < 2 and not arguments.no_apart:  # of GPUs both would take the first
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
