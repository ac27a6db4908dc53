"""Train small variants of all nets for the same time: `python benchmarks/net_quality.py --hr-dir DIR`.

Every net has about 0.3 to 1 million parameters (what its design allows) and trains at x4 on L1 with the same images,
patches, batch and optimizer, in fp32, until its process has used the given CPU time: one core, data loading included,
whatever else the machine does meanwhile. Then the averaged weights are measured on the validation images (PSNR on luma,
a border of 4 pixels cut). Beside it: parameters, multiply-adds for a megapixel of the result, and the milliseconds for
one, each net's fastest of several rounds on a tile of 64 x 64.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any

import harness
import torch
from harness import Result
from nets import NETS, SCALE, build
from train_process import Mark, side_by_side

SHARED = (
    "experiment=esrgan_psnr",
    "scheduler@scheduler_g=constant",
    "optimizer_g.lr=5e-4",
    "model.optimization.warmup_iterations=100",
    "model.optimization.ema_decay=0.99",
    "trainer.precision=32-true",
    "trainer.max_steps=-1",
    "data.iterations_per_epoch=1000000",  # validation once, at the end
    "data.hr_patch_size=128",
    "data.batch_size=4",
    "data.num_workers=0",
    "trainer.num_sanity_val_steps=0",
    "cpu_threads=1",
    "~callbacks.checkpoints",
)
SIDE = 64


def cost(name: str) -> dict[str, float]:
    """Parameters, multiply-adds and milliseconds of a net."""
    from torch.utils.flop_counter import FlopCounterMode

    net = build(NETS[name]).eval()
    image = torch.rand(1, 3, SIDE, SIDE)
    megapixels = (SIDE * SCALE) ** 2 / 1e6
    with torch.no_grad():
        with FlopCounterMode(display=False) as counter:
            net(image)
        times = []
        for _ in range(4):
            start = process_time()
            net(image)
            times.append(process_time() - start)
    return {
        "parameters": sum(parameter.numel() for parameter in net.parameters()) / 1e6,
        "multiply-adds": counter.get_total_flops() / 2 / 1e9 / megapixels,
        "milliseconds": 1000 * min(times) / megapixels,
    }


def train_all(names: Sequence[str], *, minutes: float, data: Sequence[str], jobs: int) -> dict[str, Mark]:
    """The mark of the only validation of each net, after that many minutes of CPU time."""
    end = ["+callbacks.limit._target_=train_process.CpuLimit", f"+callbacks.limit.minutes={minutes}"]
    commands = {name: [*SHARED, *NETS[name].split(), *data, *end] for name in names}
    found = {}
    for name, marks in side_by_side(commands, every=1, jobs=jobs):
        mark = found[name] = marks[-1]
        print(
            f"{name}: {mark['iteration']} iterations, {mark['val/psnr_y']:.2f} dB",
            file=sys.stderr,
            flush=True,
        )
    return found


def main() -> None:
    parser = harness.parser(__doc__, rounds=None)
    parser.add_argument("--minutes", type=float, default=20, help="CPU time of each net; default: 20")
    parser.add_argument(
        "--hr-dir", type=Path, help="training images; default: the photographs of scikit-image"
    )
    parser.add_argument("--val-dir", type=Path, help="validation images; default: others of scikit-image")
    parser.add_argument("--nets", nargs="*", choices=NETS, default=list(NETS))
    parser.add_argument(
        "--jobs", type=int, default=1, help="nets that train at the same time, on a core each"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = ["data=samples", "data.cache=ram"]
    if options.hr_dir:
        data = ["data=folder", f'data.train_dir="{options.hr_dir.resolve()}"', "data.cache=ram"]
    if options.val_dir:
        data.append(f'data.val_dir="{options.val_dir.resolve()}"')
    marks = train_all(options.nets, minutes=options.minutes, data=data, jobs=options.jobs)
    costs: dict[str, Any] = {name: cost(name) for name in options.nets}
    title = f"after {options.minutes:g} minutes of a core, x4"
    results = [
        Result(f"PSNR {title}", "dB", {name: [mark["val/psnr_y"]] for name, mark in marks.items()}),
        Result(f"iterations {title}", "", {name: [mark["iteration"]] for name, mark in marks.items()}),
    ]
    for key, what, unit in (
        ("parameters", "parameters", "M"),
        ("multiply-adds", "multiply-adds for a megapixel of the result", "G"),
        ("milliseconds", "time for a megapixel of the result", "ms"),
    ):
        results.append(Result(what, unit, {name: [each[key]] for name, each in costs.items()}))
    harness.publish(results, file=options.json)


if __name__ == "__main__":
    main()
