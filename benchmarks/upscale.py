"""How fast and in how much memory images are upscaled: `python benchmarks/upscale.py`.

One thread, random weights. Three questions: what the default precision and memory layout win over plain fp32; what
tiles cost over the whole image at once; how much memory a large image takes beyond itself and its result. Times are CPU
time of the thread, which other processes disturb less than the clock on the wall; rounds of the variants alternate;
shown are the fastest. The defaults end in about two minutes; the numbers of docs/upscale.md take an hour.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import run
from time import thread_time

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
from torch import nn

from sr.archs.rrdbnet import RRDBNet
from sr.archs.srvgg import SRVGGNetCompact
from sr.ops.hardware import cpu_has_bf16
from sr.ops.image import to_float, write_png
from sr.ops.tile import Grid, cut
from sr.upscale.budget import affordable_pixels, best_grid, bytes_per_pixel
from sr.upscale.network import Network
from sr.upscale.reach import measure_reach
from sr.upscale.tiles import enlarge

ROOT = Path(__file__).parents[1]
CPU = torch.device("cpu")
# The program in a process of its own, which prints its peak of resident memory on standard error.
MEASURED = """
import resource, sys
from sr.upscale.__main__ import parse, run
status = run(parse(sys.argv[1:]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


def fastest(variants: dict[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Seconds of the fastest of `rounds` alternating runs."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, work in variants.items():
            start = thread_time()
            work()
            times[name].append(thread_time() - start)
    return {name: min(each) for name, each in times.items()}


def nets(num_block: int) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {
        f"RRDBNet 64/{num_block}/32": RRDBNet(num_block=num_block).eval().requires_grad_(False),
        "SRVGGNetCompact 64/16": SRVGGNetCompact(num_conv=16).eval().requires_grad_(False),
    }


def photograph(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def compare_layouts(*, size: int, num_block: int, rounds: int) -> None:
    """Plain eager fp32 NCHW, as a script in the field would run it, against this project's layout and precisions."""
    image = torch.from_numpy(to_float(photograph(size, size))).permute(2, 0, 1)[None].contiguous()
    precisions = ("fp32", "bf16") if cpu_has_bf16() else ("fp32",)
    print(f"{size} x {size} pixels of input, whole image at once")
    for name, net in nets(num_block).items():
        plain = nets(num_block)[name]

        def eager(plain: nn.Module = plain) -> None:
            with torch.no_grad():
                plain(image)

        variants: dict[str, Callable[[], object]] = {"eager fp32 NCHW": eager}
        for precision in precisions:
            network = Network(net=net, scale=4, channels=3, device=CPU, precision=precision)
            variants[f"{precision} channels_last"] = lambda network=network: network(image)
        seconds = fastest(variants, rounds=rounds)
        for variant, value in seconds.items():
            gain = seconds["eager fp32 NCHW"] / value
            print(f"  {name:22} {variant:20} {value:8.2f} s {gain:6.2f} x")
    if "bf16" not in precisions:
        print("  this CPU has no bf16: fp32 is the default on it")


def compare_tiles(*, size: int, tiles: Sequence[int], num_block: int, rounds: int) -> None:
    """The whole image at once against tiles."""
    name, net = next(iter(nets(num_block).items()))
    network = Network(net=net, scale=4, channels=3, device=CPU, precision="fp32")
    start = thread_time()
    reach = measure_reach(network).pixels
    fade = max(reach // 8, 1)
    print(
        f"{name}, {size} x {size} pixels of input; reach {reach}, measured in {thread_time() - start:.1f} s"
    )
    image = photograph(size, size)
    grids = {"whole": cut(size, size, tile=(0, 0), reach=0)}
    for tile in tiles:
        grids[f"tile {tile}"] = cut(size, size, tile=(tile, tile), reach=reach, fade=fade)
    pixels = affordable_pixels(network)
    grids["tile auto"] = best_grid(size, size, pixels=pixels, reach=reach, fade=fade, align=1)
    results: dict[str, np.ndarray] = {}

    def work(name: str, grid: Grid) -> None:
        results[name] = enlarge(image, network=network, grid=grid)

    seconds = fastest(
        {name: (lambda name=name, grid=grid: work(name, grid)) for name, grid in grids.items()}, rounds=rounds
    )
    for name, grid in grids.items():
        height, width = grid.tile_size
        worst = max(
            int(np.abs(part.astype(np.int16) - other).max())
            for part, other in zip(
                np.array_split(results[name], 64), np.array_split(results["whole"], 64), strict=True
            )
        )
        print(
            f"  {name:10} {len(grid):4} of {width} x {height}: {seconds[name]:8.2f} s"
            f" {seconds[name] / seconds['whole']:5.2f} x the whole, differs by at most {worst}/255"
        )


def measure_memory(*, size: int, num_conv: int, num_feat: int) -> None:
    """Peak resident memory of the program on one large image."""
    torch.manual_seed(0)
    net = SRVGGNetCompact(num_feat=num_feat, num_conv=num_conv).eval().requires_grad_(False)
    cost = bytes_per_pixel(Network(net=net, scale=4, channels=3, device=CPU, precision="fp32"))
    with tempfile.TemporaryDirectory() as folder:
        write_png(Path(folder) / "large.png", photograph(size, size))
        torch.save(net.state_dict(), Path(folder) / "net.pth")
        arguments = [f"{folder}/large.png", "--ckpt", f"{folder}/net.pth", "--out", f"{folder}/out"]
        done = run(
            [sys.executable, "-c", MEASURED, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(done.stderr)
        peak = int(done.stderr.split()[-1]) * 1024
    image, result = 3 * size**2, 3 * (4 * size) ** 2
    print(
        f"SRVGGNetCompact {num_feat}/{num_conv} x4, {size} x {size} pixels of input, {cost} bytes reckoned per pixel"
    )
    print(f"  peak {peak / 1e9:.2f} GB = image {image / 1e9:.2f} + result {result / 1e9:.2f} + ", end="")
    print(f"{(peak - image - result) / 1e9:.2f} GB for Python, libraries, net, tiles and file formats")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=("layouts", "tiles", "memory"), help="one of the three")
    parser.add_argument("--num-block", type=int, default=4, help="of RRDBNet; published nets have 23")
    parser.add_argument("--layout-size", type=int, default=128, help="side of the image, layouts")
    parser.add_argument("--tile-size", type=int, default=192, help="side of the image, tiles")
    parser.add_argument("--tile", type=int, nargs="*", default=(64, 128, 256), help="tiles besides auto")
    parser.add_argument("--memory-size", type=int, default=1024, help="side of the image, memory")
    parser.add_argument("--num-conv", type=int, default=16, help="of the compact net, memory")
    parser.add_argument("--num-feat", type=int, default=64, help="of the compact net, memory")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.only in (None, "layouts"):
        compare_layouts(size=options.layout_size, num_block=options.num_block, rounds=options.rounds)
    if options.only in (None, "tiles"):
        compare_tiles(
            size=options.tile_size, tiles=options.tile, num_block=options.num_block, rounds=options.rounds
        )
    if options.only in (None, "memory"):
        measure_memory(size=options.memory_size, num_conv=options.num_conv, num_feat=options.num_feat)


if __name__ == "__main__":
    main()
