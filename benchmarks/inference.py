"""Measure how fast a tile goes through a net: `python benchmarks/inference.py`.

The variants are all engines of `sr-upscale` on the device, in fp32 and, where it has instructions for it, in bf16; on a
CPU also OpenVINO in int8, calibrated with noise, which changes no time. The reference is eager fp32 in NCHW, as scripts
of the field run a net. The weights are random, everything runs on one thread, the variants alternate in every round,
and medians are shown. An engine that cannot be had is named and left out; one whose result differs from the reference
ends the benchmark. On a CPU, times are CPU time of the process, which other processes disturb less than wall-clock
time; on a GPU, they are wall-clock time.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import harness
import torch
from harness import Result, interleave
from torch import Tensor, nn
from upscale import make_net

from sr.export.onnx_graph import onnx_graph
from sr.upscale.engines.candidates import candidates
from sr.upscale.engines.engine import EngineError
from sr.upscale.engines.in_openvino import OpenVinoEngine
from sr.upscale.engines.int8 import quantised
from sr.weights.generator import load_generator

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
REFERENCE = "eager, fp32, NCHW"
IN_INT8 = "openvino, int8"
# The largest difference, as a share of the reference's range. bf16 has 8 significant bits, and int8 as many for all
# values of a layer; random weights lose more by that than trained ones.
TOLERANCE, TOLERANCE_OF_INT8 = 0.05, 0.3
Run = Callable[[Tensor], Tensor]


def plain(net: nn.Module) -> Run:
    net = net.to(DEVICE)
    return lambda tile: net(tile)


def make_variants(name: str, file: Path) -> dict[str, Run]:
    """The reference and all engines by title, each with a net of its own, since layouts stay with a net."""
    torch.save(make_net(name).state_dict(), file)
    trained = load_generator(file)
    trained.net.to(DEVICE, memory_format=torch.channels_last)  # type: ignore[call-overload]
    variants: dict[str, Run] = {REFERENCE: plain(make_net(name))}
    for candidate in candidates(trained, graph=partial(onnx_graph, trained), device=DEVICE, precision="auto"):
        try:
            variants[candidate.title] = candidate.make()
        except EngineError as error:
            print(f"{candidate.title} is left out: {error}", file=sys.stderr)
    if DEVICE.type == "cpu":
        try:
            variants[IN_INT8] = in_int8(onnx_graph(trained))
        except EngineError as error:
            print(f"{IN_INT8} is left out: {error}", file=sys.stderr)
    return variants


def in_int8(graph: bytes) -> Run:
    noise = torch.rand(8, 1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    return OpenVinoEngine(quantised(graph, tiles=list(noise)), precision="int8", threads=1)


def check(variants: dict[str, Run], tile: Tensor) -> None:
    """Run all once, which allocates memory. One that computes something else than the reference ends the program."""
    expected = variants[REFERENCE](tile)
    for title, run in variants.items():
        difference = (run(tile) - expected).abs().max() / (expected.max() - expected.min())
        if not difference < (TOLERANCE_OF_INT8 if title == IN_INT8 else TOLERANCE):
            sys.exit(f"{title} differs from {REFERENCE} by {difference:.3g} of its range")


def milliseconds(run: Run, tile: Tensor) -> float:
    if DEVICE.type == "cpu":
        start = process_time()  # OpenVINO computes in a thread of its own
        run(tile)
        return 1000 * (process_time() - start)
    torch.cuda.synchronize()
    start = perf_counter()
    run(tile)
    torch.cuda.synchronize()
    return 1000 * (perf_counter() - start)


@torch.no_grad()
def compare(name: str, *, size: int, rounds: int) -> Result:
    tile = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    with TemporaryDirectory() as folder:
        runs = make_variants(name, Path(folder) / "net.pth")
        check(runs, tile)
    timed = {title: lambda run=run: milliseconds(run, tile) for title, run in runs.items()}
    return Result(f"a tile of {size} x {size}, {name}", "ms", interleave(timed, rounds=rounds), REFERENCE)


def main() -> None:
    parser = harness.parser(__doc__, rounds=5)
    parser.add_argument(
        "--net",
        nargs="*",
        default=["rrdbnet-64-23-32", "srvgg-64-32"],
        help="nets with their sizes; default: rrdbnet-64-23-32 srvgg-64-32",
    )
    parser.add_argument("--size", type=int, default=128, help="side of the tile in pixels")
    options = parser.parse_args()
    torch.set_num_threads(1)
    results = [compare(name, size=options.size, rounds=options.rounds) for name in options.net]
    harness.publish(results, file=options.json)


if __name__ == "__main__":
    main()
