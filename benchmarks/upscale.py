"""Measure how fast and in how much memory images are upscaled: `python benchmarks/upscale.py`.

The weights are random, and everything runs on one thread that is pinned to one core.

Speed: the path that the program itself takes, with every engine and precision of the device, with whole images and in
tiles, is compared with the plain script of most projects (eager fp32 NCHW, the whole image at once). Every pass is a
process of its own, the variants alternate in every round, and medians are shown. Times are CPU time of the process,
which others disturb less than wall-clock time; making the engine is not part of them. Memory is the peak of resident
memory. If there is a GPU, it does the work: times are wall-clock time, and memory is the peak that torch allocated on
the GPU. An engine that cannot be had is named and left out.

Memory: the peak of the program on one large image, with and without the image and its result.

The defaults take two minutes; docs/upscale.md has the long runs.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from subprocess import run
from typing import Any

import harness
from harness import ROOT, Result

PLAIN = "plain"
# Runs the program and prints the peak of its resident memory on standard error.
PROGRAM = """
import resource, sys
from sr.commands.upscale import parse
from sr.programs.upscale import run
status = run(parse(sys.argv[1:]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr)
sys.exit(status)
"""


def compare_speed(
    name: str, *, size: int, engines: Sequence[str], tiles: Sequence[str], rounds: int
) -> list[Result]:
    """The seconds of a pass, and its peak of memory, as two results."""
    variants = [PLAIN, *(f"{engine}/{tile}" for engine in engines for tile in tiles)]
    passes: dict[str, list[dict[str, Any]]] = {variant: [] for variant in variants}
    for number in range(1, rounds + 1):
        for variant in list(passes):
            found = in_a_process(variant, name, size)
            print(f"round {number}, {variant}: {found}", file=sys.stderr, flush=True)
            if "missing" in found:
                del passes[variant]
            else:
                passes[variant].append(found)
    seconds = {title(variant): [each["seconds"] for each in runs] for variant, runs in passes.items()}
    peaks = {title(variant): [each["peak"] / 1e9 for each in runs] for variant, runs in passes.items()}
    return [
        Result(f"upscaling {size} x {size}, {name}", "s", seconds, title(PLAIN)),
        Result(f"memory of upscaling {size} x {size}, {name}", "GB", peaks, title(PLAIN)),
    ]


def title(variant: str) -> str:
    """The name of a variant in the tables."""
    if variant == PLAIN:
        return "plain fp32 NCHW, whole"
    engine, precision, tile = variant.split("/")
    return f"{engine}, {precision}, {'whole' if tile == '0' else f'--tile {tile}'}"


def in_a_process(variant: str, name: str, size: int) -> dict[str, Any]:
    """The numbers that `one_pass` prints in a process of its own."""
    command = [sys.executable, __file__, "--pass", variant, "--net", name, "--size", str(size)]
    done = run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def one_pass(variant: str, name: str, size: int) -> None:
    """Upscale one image and print the seconds, the peak of memory in bytes and the number of tiles as JSON."""
    # The module of the program comes first: it makes settings that must be made before torch is imported.
    if variant != PLAIN:
        import sr.programs.upscale  # noqa: F401
    import resource
    from time import perf_counter, process_time

    import torch

    from sr.ops.image import to_float
    from sr.pictures.picture import Picture
    from sr.upscale.engines.engine import EngineError

    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net, image = make_net(name).to(device), random_image(size)
    upscaler, tiles = None, []
    if variant != PLAIN:
        try:
            upscaler, tiles = make_upscaler(variant, net, device)
        except EngineError as error:
            print(json.dumps({"missing": str(error)}))
            return

    def plain() -> None:
        with torch.no_grad():
            net(torch.from_numpy(to_float(image)).permute(2, 0, 1)[None].contiguous().to(device)).cpu()

    def work() -> None:
        plain() if upscaler is None else upscaler(Picture(image))

    if device.type == "cuda":
        work()  # libraries of the GPU load code and choose algorithms once
        tiles.clear()
    # On a GPU nothing has to be waited for: the result is on the CPU when the clock is read. Engines may compute in
    # threads of their own, so the clock is that of the process.
    clock = process_time if device.type == "cpu" else perf_counter
    start = clock()
    work()
    seconds = clock() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated()
    print(json.dumps({"seconds": seconds, "peak": peak, "tiles": sum(tiles) or 1}))


def make_upscaler(variant: str, net: Any, device: Any) -> tuple[Any, list[int]]:
    """The upscaler of a variant, `engine/precision/tile`, and a list that gets the number of tiles of every step.

    Raises:
        EngineError: the engine cannot be had.
    """
    from contextlib import nullcontext

    import torch

    from sr.export.onnx_graph import onnx_graph
    from sr.upscale.engines.candidates import candidates
    from sr.upscale.network import Network
    from sr.upscale.upscaler import Upscaler
    from sr.weights.generator import load_generator

    name, precision, tile = variant.split("/")
    with tempfile.TemporaryDirectory() as folder:
        torch.save(net.state_dict(), f"{folder}/net.pth")
        trained = load_generator(f"{folder}/net.pth")
    trained.net.to(device)
    (candidate,) = candidates(
        trained,
        graph=partial(onnx_graph, trained),
        device=device,
        precision=precision,
        engine=name,
    )
    tiles: list[int] = []
    upscaler = Upscaler(
        network=Network(net=trained.net, scale=4, channels=3, device=device, engine=candidate.make()),
        tile=tile if tile == "auto" else int(tile),
        bars=lambda count: nullcontext(lambda done: tiles.append(done)),
    )
    return upscaler, tiles


def make_net(name: str) -> Any:
    """A net with random weights, by a name that contains its sizes.

    `rrdbnet-64-23-32` is RRDBNet with num_feat, num_block and num_grow_ch. `srvgg-64-16` is SRVGGNetCompact with
    num_feat and num_conv.
    """
    import torch

    from sr.archs.rrdbnet import RRDBNet
    from sr.archs.srvgg import SRVGGNetCompact

    torch.manual_seed(0)
    kind, *sizes = name.split("-")
    feat, depth, *grow = map(int, sizes)
    if kind == "rrdbnet":
        net: torch.nn.Module = RRDBNet(num_feat=feat, num_block=depth, num_grow_ch=grow[0])
    else:
        net = SRVGGNetCompact(num_feat=feat, num_conv=depth)
    return net.eval().requires_grad_(False)


def random_image(size: int) -> Any:
    """An image of random levels, (size, size, 3) uint8."""
    import numpy as np

    return np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)


def measure_memory(name: str, *, size: int, rounds: int) -> Result:
    """The peak of memory of the whole program, with and without the image and its result."""
    image, result = 3 * size**2, 3 * (4 * size) ** 2
    peaks = [peak_of_program(name, size=size) for _ in range(rounds)]
    values = {
        "peak": [peak / 1e9 for peak in peaks],
        "beyond image and result": [(peak - image - result) / 1e9 for peak in peaks],
    }
    return Result(f"memory of sr-upscale, {size} x {size}, {name}", "GB", values)


def peak_of_program(name: str, *, size: int) -> int:
    """The peak of the resident memory of `sr-upscale`, in bytes."""
    import torch

    from sr.pictures.writing import write_png

    with tempfile.TemporaryDirectory() as folder:
        write_png(Path(folder) / "large.png", random_image(size))
        torch.save(make_net(name).state_dict(), Path(folder) / "net.pth")
        arguments = [f"{folder}/large.png", "--ckpt", f"{folder}/net.pth", "--out", f"{folder}/out"]
        command = [sys.executable, "-c", PROGRAM, *arguments]
        done = run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return int(done.stderr.split()[-1])


def main() -> None:
    parser = harness.parser(__doc__, rounds=3)
    parser.add_argument("--only", choices=("speed", "memory"), help="measure only one of the two")
    parser.add_argument(
        "--net",
        nargs="*",
        default=["rrdbnet-64-4-32", "srvgg-64-16"],
        help="nets with their sizes, for speed",
    )
    parser.add_argument("--size", type=int, default=192, help="side of the image in pixels, for speed")
    parser.add_argument(
        "--tile", nargs="*", default=["0", "auto"], help="values of --tile, for speed; 0: the whole image"
    )
    parser.add_argument(
        "--engine",
        nargs="*",
        default=["torch/fp32", "torch/bf16", "onnx/fp32", "openvino/fp32", "openvino/bf16"],
        help="engines with their precision, for speed; compiled/fp32, compiled/bf16 and tensorrt/fp32 are others",
    )
    parser.add_argument(
        "--memory-net", nargs="*", default=["srvgg-64-16"], help="nets with their sizes, for memory"
    )
    parser.add_argument(
        "--memory-size", type=int, default=1024, help="side of the image in pixels, for memory"
    )
    parser.add_argument("--core", type=int, help="number of the core to run on; default: the last one")
    parser.add_argument("--pass", dest="variant", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.variant:
        one_pass(options.variant, options.net[0], options.size)
        return
    if hasattr(os, "sched_setaffinity"):  # only on Linux
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0)) if options.core is None else options.core})
    results = []
    if options.only in (None, "speed"):
        compare = partial(
            compare_speed,
            size=options.size,
            engines=options.engine,
            tiles=options.tile,
            rounds=options.rounds,
        )
        results += [result for name in options.net for result in compare(name)]
    if options.only in (None, "memory"):
        results += [measure_memory(name, size=options.memory_size, rounds=1) for name in options.memory_net]
    harness.publish(results, file=options.json)


if __name__ == "__main__":
    main()
