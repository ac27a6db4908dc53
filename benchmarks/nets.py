"""Measure what a training step of each net costs: `python benchmarks/nets.py generator=swinir_light`.

A step is forward and backward of L1 and one step of Adam, in fp32 at LR 64 x 64, batch 2, on one thread. Ours and the
implementation of the library spandrel, which are given the same weights, take turns in one process for their times;
their memory is measured three times, each in a process of its own. Nets that spandrel does not have, and machines
without spandrel, show ours alone. Times are CPU time, which other processes disturb less than wall-clock time; memory
is what steps add to the peak of resident memory. By default these are small variants of all nets.

Names are overrides of conf/train.yaml, several of them joined by a space: "generator=rrdbnet generator.num_block=6".
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

import harness
from harness import ROOT, Result

OURS, REFERENCE = "ours", "spandrel"
LAYOUTS = ("contiguous_format", "channels_last")  # torch's names of memory formats
# Small variants of all nets, of about 0.3 to 1 million parameters.
NETS = {
    "SRVGGNetCompact": "generator=srvgg_compact generator.num_conv=16",
    "SRResNet": "generator=srresnet generator.batch_norm=false generator.num_block=8",
    "RRDBNet": "generator=rrdbnet generator.num_feat=32 generator.num_block=4 generator.num_grow_ch=16",
    "EDSR": "generator=edsr_baseline generator.num_block=8",
    "RCAN": "generator=rcan generator.num_group=2 generator.num_block=4",
    "SPAN": "generator=span",
    "PLKSR": "generator=plksr_tiny generator.num_feat=48 generator.num_block=8",
    "RealPLKSR": "generator=realplksr_small generator.num_feat=48 generator.num_block=8",
    "OmniSR": "generator=omnisr",
    "SwinIR": "generator=swinir_light",
    "HAT": "generator=hat_small generator.embed_dim=60 generator.depths=[4,4] generator.num_heads=[6,6]",
    "DAT": "generator=dat_light",
}
SIDE, BATCH, SCALE = 64, 2, 4


def stepper(name: str, who: str) -> Callable[[], None]:
    """A training step of a net; the first calls fill caches."""
    import torch

    from sr.ops.hardware import training_layout

    torch.set_num_threads(1)
    chosen = training_layout(torch.device("cpu"))
    layout = getattr(torch, who) if who in LAYOUTS else chosen
    net = build(name)
    net = reference(net) if who == REFERENCE else net.to(memory_format=layout)
    optimizer = torch.optim.Adam(net.train().parameters(), lr=1e-4)
    draw = torch.Generator().manual_seed(0)
    lr = torch.rand(BATCH, 3, SIDE, SIDE, generator=draw)
    hr = torch.rand(BATCH, 3, SIDE * SCALE, SIDE * SCALE, generator=draw)
    if who != REFERENCE:
        lr, hr = (image.contiguous(memory_format=layout) for image in (lr, hr))

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.l1_loss(net(lr), hr).backward()
        optimizer.step()

    return step


def seconds(name: str, variants: Sequence[str], *, steps: int) -> dict[str, list[float]]:
    """The times of steps of each variant, in turns in one process, so that what slows one slows the other."""
    each = {who: stepper(name, who) for who in variants}
    for step in each.values():
        step()
    times: dict[str, list[float]] = {who: [] for who in variants}
    for number in range(steps):
        for who in variants if number % 2 else reversed(variants):
            start = process_time()
            each[who]()
            times[who].append(process_time() - start)
    return times


def memory(name: str, who: str) -> int:
    """The bytes that two steps add to the peak of resident memory; for a process of its own."""
    step = stepper(name, who)
    before = peak()
    step()
    step()
    return peak() - before


def build(name: str) -> Any:
    """The net of these overrides, as train.py builds it."""
    import torch
    from hydra import compose, initialize_config_dir
    from hydra.utils import instantiate

    from sr.config import register_schemas
    from sr.run.directory import register_resolvers

    register_schemas()
    register_resolvers()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        cfg = compose("train", [*name.split(), f"scale={SCALE}", "run_dir=."])
    torch.manual_seed(0)
    return instantiate(cfg.generator, _convert_="all")


def reference(net: Any) -> Any:
    """spandrel's implementation with the same weights, with the tests' stand-in where there is no torchvision."""
    import pytest

    sys.path.append(str(ROOT / "tests"))
    from spandrel_files import stand_in_for_torchvision

    stand_in_for_torchvision(pytest.MonkeyPatch())
    import spandrel

    weights = {key: value.contiguous() for key, value in net.state_dict().items()}
    return spandrel.ModelLoader().load_from_state_dict(weights).model.requires_grad_(True)


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def in_process(name: str, *options: str) -> Any:
    """What this program prints, run in a process of its own."""
    command = [sys.executable, __file__, name, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout.splitlines()[-1])


def compare(name: str, variants: Sequence[str], *, rounds: int) -> list[Result]:
    """Time and memory of a net by variant; the last variant is the reference, which not every net has."""
    variants = list(variants)
    try:
        in_process(name, "--memory", variants[-1])
    except RuntimeError as error:
        if variants[-1] != REFERENCE:
            raise
        print(f"{name}: no reference ({error})", file=sys.stderr)
        variants.remove(REFERENCE)
    compared = variants[-1] if variants[1:] else None
    times = in_process(name, "--seconds", *variants, "--rounds", str(rounds))
    peaks = {who: [in_process(name, "--memory", who) / 1e9 for _ in range(3)] for who in variants}
    title = name.replace("generator=", "").replace("generator.", "")
    return [
        Result(f"time of a training step, {title}", "s", times, compared),
        Result(f"memory of a training step, {title}", "GB", peaks, compared),
    ]


def main() -> None:
    parser = harness.parser(__doc__, rounds=15)
    parser.add_argument(
        "names", nargs="*", default=list(NETS.values()), help="nets, as overrides of train.py"
    )
    parser.add_argument(
        "--layouts",
        action="store_true",
        help="compare our nets in two memory formats instead of with spandrel",
    )
    every = (OURS, REFERENCE, *LAYOUTS)
    parser.add_argument("--memory", choices=every, help="measure the memory of one variant in this process")
    parser.add_argument("--seconds", choices=every, nargs="+", help="time variants in this process")
    options = parser.parse_args()
    if options.memory:
        print(json.dumps(memory(options.names[0], options.memory)))
        return
    if options.seconds:
        print(json.dumps(seconds(options.names[0], options.seconds, steps=options.rounds)))
        return
    if hasattr(os, "sched_setaffinity"):  # only on Linux
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    variants = LAYOUTS[::-1] if options.layouts else (OURS, REFERENCE)
    results = [each for name in options.names for each in compare(name, variants, rounds=options.rounds)]
    harness.publish(results, file=options.json)


if __name__ == "__main__":
    main()
