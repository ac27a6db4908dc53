"""Measure how fast a tile goes through a net: `python benchmarks/inference.py`.

The variants are eager, bf16, compiled (torch.compile), and ONNX Runtime with the file that `sr-export` writes. The
reference is eager fp32 in NCHW. The weights are random, everything runs on one thread, the variants alternate in every
round, and medians are shown. A variant whose result differs from the reference ends the benchmark. On a CPU, times are
CPU time, which other processes disturb less than wall-clock time. On a GPU, they are wall-clock time, and ONNX Runtime
is left out, since the pinned package supports only the CPU. Compiled nets are left out where there is no C++ compiler.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, thread_time

import harness
import torch
from harness import Result, interleave
from torch import Tensor, nn
from torch._inductor.exc import InvalidCxxCompiler
from upscale import make_net

from sr.export.onnx_graph import INPUT, Onnx
from sr.weights.generator import load_generator

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
REFERENCE = "eager, fp32, NCHW"
# The largest difference, as a share of the reference's range. bf16 has 8 significant bits, and random weights lose more
# by that than trained ones.
TOLERANCE = 0.05
Run = Callable[[Tensor], Tensor]


def eager(net: nn.Module, *, bf16: bool = False, channels_last: bool = True) -> Run:
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    net = net.to(DEVICE, memory_format=memory_format)  # type: ignore[call-overload]

    def run(tile: Tensor) -> Tensor:
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=bf16):
            enlarged: Tensor = net(tile.contiguous(memory_format=memory_format))
        return enlarged.float()

    return run


def compiled(net: nn.Module, *, bf16: bool) -> Run:
    net.compile()
    return eager(net, bf16=bf16)


def onnx_runtime(file: Path) -> Run:
    """A function that runs the ONNX export of a file of weights with ONNX Runtime, on one thread."""
    import onnxruntime

    model = Onnx().encode(load_generator(file), card={})[".onnx"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda tile: torch.from_numpy(session.run(None, {INPUT: tile.numpy()})[0])


def make_variants(name: str, file: Path) -> dict[str, Run]:
    """All variants by title. Each has a net of its own, since layouts and compiled code stay with a net."""
    torch.save(make_net(name).state_dict(), file)
    variants = {
        REFERENCE: eager(make_net(name), channels_last=False),
        "eager, fp32, channels_last": eager(make_net(name)),
        "eager, bf16, channels_last": eager(make_net(name), bf16=True),
        "compiled, fp32": compiled(make_net(name), bf16=False),
        "compiled, bf16": compiled(make_net(name), bf16=True),
    }
    return variants if DEVICE.type == "cuda" else variants | {"ONNX Runtime, fp32": onnx_runtime(file)}


def warmed(variants: dict[str, Run], tile: Tensor) -> dict[str, Run]:
    """The variants that work on this machine, after a first run that compiles code and allocates memory.

    A variant that computes something else than the reference ends the program.
    """
    expected = variants[REFERENCE](tile)
    working = {}
    for title, run in variants.items():
        try:
            difference = (run(tile) - expected).abs().max() / (expected.max() - expected.min())
        except InvalidCxxCompiler:
            print(f"{title} is left out, because there is no C++ compiler", file=sys.stderr)
            continue
        if not difference < TOLERANCE:
            sys.exit(f"{title} differs from {REFERENCE} by {difference:.3g} of its range")
        working[title] = run
    return working


def milliseconds(run: Run, tile: Tensor) -> float:
    if DEVICE.type == "cpu":
        start = thread_time()
        run(tile)
        return 1000 * (thread_time() - start)
    torch.cuda.synchronize()
    start = perf_counter()
    run(tile)
    torch.cuda.synchronize()
    return 1000 * (perf_counter() - start)


@torch.no_grad()
def compare(name: str, *, size: int, rounds: int) -> Result:
    tile = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    with TemporaryDirectory() as folder:
        runs = warmed(make_variants(name, Path(folder) / "net.pth"), tile)
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
