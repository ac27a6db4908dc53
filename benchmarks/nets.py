"""Measure what a training step of each net costs: `python benchmarks/nets.py generator=swinir_light`.

A step is forward and backward of L1 and one step of Adam, in fp32 at LR 64 x 64, batch 2, on one thread. Every
measurement is a process of its own; ours and the implementation of the library spandrel, which are given the same
weights, alternate in every round. Nets that spandrel does not have, and machines without spandrel, show ours alone.
Times are CPU time, which other processes disturb less than wall-clock time; memory is what a step adds to the peak of
resident memory. By default these are small variants of all nets.

Names are overrides of conf/train.yaml, several of them joined by a space: "generator=rrdbnet generator.num_block=6".
"""

import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
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
STEPS = 3


def one_step(name: str, who: str) -> dict[str, float]:
    """The median seconds and the bytes of training steps; the first one fills caches and is not measured."""
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
    before = peak()

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.l1_loss(net(lr), hr).backward()
        optimizer.step()

    step()
    seconds = []
    for _ in range(STEPS):
        start = process_time()
        step()
        seconds.append(process_time() - start)
    return {"seconds": statistics.median(seconds), "peak": peak() - before}


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


def measured(name: str, who: str) -> dict[str, float]:
    """`one_step` in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, name, "--only", who], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(name: str, variants: Sequence[str], *, rounds: int) -> list[Result]:
    """Time and memory of a net by variant; the last variant is the reference, which not every net has."""
    variants, last = list(variants), variants[-1]
    values: dict[str, list[dict[str, float]]] = {who: [] for who in variants}
    for _ in range(rounds):
        for who in list(variants):
            try:
                values[who].append(measured(name, who))
            except RuntimeError as error:
                if who != REFERENCE:
                    raise
                print(f"{name}: no reference ({error})", file=sys.stderr)
                variants.remove(REFERENCE)
    compared = last if last in variants else None
    title = name.replace("generator=", "").replace("generator.", "")
    return [
        Result(
            f"{what} of a training step, {title}",
            unit,
            {who: [each[key] / divisor for each in values[who]] for who in variants},
            compared,
        )
        for what, unit, key, divisor in (("time", "s", "seconds", 1), ("memory", "GB", "peak", 1e9))
    ]


def main() -> None:
    parser = harness.parser(__doc__, rounds=3)
    parser.add_argument(
        "names", nargs="*", default=list(NETS.values()), help="nets, as overrides of train.py"
    )
    parser.add_argument(
        "--layouts",
        action="store_true",
        help="compare our nets in two memory formats instead of with spandrel",
    )
    parser.add_argument(
        "--only", choices=(OURS, REFERENCE, *LAYOUTS), help="measure one step in this process"
    )
    options = parser.parse_args()
    if options.only:
        print(json.dumps(one_step(options.names[0], options.only)))
        return
    if hasattr(os, "sched_setaffinity"):  # only on Linux
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    variants = LAYOUTS[::-1] if options.layouts else (OURS, REFERENCE)
    results = [each for name in options.names for each in compare(name, variants, rounds=options.rounds)]
    harness.publish(results, file=options.json)


if __name__ == "__main__":
    main()
