"""Measure what reading and writing cost beside the net: `python benchmarks/folder.py --ckpt FILE --images DIR`.

The images go through the net alone, as floats that are in memory already, and through the path of `sr-upscale`, from
files to files. Both have one thread for the net; the program decodes and encodes in threads of its own, for which there
has to be a second core. The two alternate, times are wall-clock time, and the ratio is the share that files add.
"""

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

import harness
import torch
from harness import Result, interleave

from sr.commands.upscale import parse
from sr.ops.image import to_float
from sr.pictures.reading import read_image
from sr.programs.upscale import make_upscaler, upscaled
from sr.programs.upscale_plan import plan
from sr.upscale.upscaler import Upscaler


def seconds(work: Callable[[], None]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def run_net(upscaler: Upscaler, tiles: list[torch.Tensor]) -> None:
    """The engine on whole images, and nothing else."""
    with torch.inference_mode():
        for tile in tiles:
            upscaler.network.engine(tile.to(upscaler.network.device)).cpu()


def run_program(upscaler: Upscaler, arguments: list[str]) -> None:
    """The images from files to files. Ends the program if one fails."""
    with tempfile.TemporaryDirectory() as folder:
        options = parse([*arguments, "--out", folder])
        for job, error in upscaled(plan(options, say=print), upscaler, options):
            if error is not None:
                raise SystemExit(f"{job.source}: {error}")


def main() -> None:
    parser = harness.parser(__doc__, rounds=5)
    parser.add_argument("--ckpt", required=True, help="checkpoint of the net")
    parser.add_argument("--images", required=True, type=Path, help="directory of images")
    parser.add_argument("--engine", default="torch", help="engine of sr-upscale")
    parser.add_argument("--format", default="png", help="format of the results")
    options = parser.parse_args()
    torch.set_num_threads(1)
    arguments = [
        str(options.images),
        "--ckpt",
        options.ckpt,
        "--engine",
        options.engine,
        "--format",
        options.format,
    ]
    parsed = parse([*arguments, "--out", os.devnull])
    jobs = plan(parsed, say=print)
    upscaler = make_upscaler(parsed, jobs, report=print)
    images = [to_float(read_image(job.source)) for job in jobs]
    tiles = [torch.from_numpy(image).permute(2, 0, 1)[None].contiguous() for image in images]
    passes = {
        "the net alone": partial(run_net, upscaler, tiles),
        "sr-upscale": partial(run_program, upscaler, arguments),
    }
    run_net(upscaler, tiles[:1])
    measured = interleave(
        {name: partial(seconds, work) for name, work in passes.items()}, rounds=options.rounds
    )
    harness.publish(
        [Result(f"{len(tiles)} images to {options.format}", "s", measured, "the net alone")],
        file=options.json,
    )


if __name__ == "__main__":
    main()
