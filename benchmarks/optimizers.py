"""Measure what the step of each optimizer costs beside Adam's: `python benchmarks/optimizers.py`.

Every optimizer is built from its file in conf/optimizer for an RRDBNet of its own and gets the same random gradients. A
measurement is the mean of 10 steps, since SOAP looks for its eigenbases in every tenth; the switch between trained and
averaged weights, and the copy that a skipped iteration would need, count too. Memory is what the optimizer keeps for
each parameter of the net. Times are CPU time on one thread; on a GPU they are wall-clock time. The variants alternate
in every round. The forward and backward passes, which no optimizer changes, are not in these numbers:
`python benchmarks/training.py` has them.
"""

from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter, thread_time
from typing import Any

import harness
import torch
from harness import ROOT, Result, interleave
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import Tensor, nn
from torch.optim import Optimizer

from sr.archs.rrdbnet import RRDBNet
from sr.training.averaged_weights import TrainedWeights
from sr.training.parameter_groups import NetParameters

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
REFERENCE = "adam"
OPTIONS = (REFERENCE, "adamw", "adamw_groups", "adan", "lion", "muon", "prodigy", "schedule_free", "soap")
STEPS = 10


def make(name: str, *, blocks: int) -> tuple[nn.Module, Optimizer]:
    """A net with gradients, and an option's optimizer for it."""
    torch.manual_seed(0)
    net = RRDBNet(num_block=blocks).to(DEVICE)
    node = OmegaConf.load(ROOT / "conf" / "optimizer" / f"{name}.yaml")
    return net, instantiate(node, _convert_="all")(NetParameters(net))


def step(net: nn.Module, optimizer: Optimizer, gradients: list[Tensor]) -> None:
    """One step as SRModule takes it; optimizers may change their gradients."""
    for parameter, gradient in zip(net.parameters(), gradients, strict=True):
        parameter.grad = gradient.clone()
    weights = TrainedWeights([optimizer])
    optimizer.step()
    weights.leave(stepped=True)


def milliseconds(net: nn.Module, optimizer: Optimizer, gradients: list[Tensor]) -> float:
    """The mean of some steps."""
    start = now()
    for _ in range(STEPS):
        step(net, optimizer, gradients)
    return 1000 * (now() - start) / STEPS


def now() -> float:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
        return perf_counter()
    return thread_time()


def kept(optimizer: Optimizer) -> int:
    """The bytes of all tensors that an optimizer keeps."""
    state: Any = optimizer.state_dict()
    return sum(each.numel() * each.element_size() for each in tensors(state))


def tensors(node: Any) -> Iterator[Tensor]:
    if isinstance(node, Tensor):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from tensors(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from tensors(value)


def main() -> None:
    options = harness.parser(__doc__, rounds=5)
    options.add_argument("--blocks", type=int, default=6, help="number of blocks of RRDBNet")
    options.add_argument("--only", nargs="+", choices=OPTIONS, default=OPTIONS, help="the options to measure")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    variants: dict[str, Callable[[], float]] = {}
    memory = {}
    for name in dict.fromkeys([REFERENCE, *arguments.only]):
        net, optimizer = make(name, blocks=arguments.blocks)
        gradients = [1e-3 * torch.randn_like(parameter) for parameter in net.parameters()]
        for _ in range(2):  # states are made in the first steps
            step(net, optimizer, gradients)
        variants[name] = partial(milliseconds, net, optimizer, gradients)
        memory[name] = [kept(optimizer) / sum(parameter.numel() for parameter in net.parameters())]
    title = f"RRDBNet of {arguments.blocks} blocks, on {DEVICE.type}"
    times = interleave(variants, rounds=arguments.rounds)
    results = [
        Result(f"a step, {title}", "ms", times, reference=REFERENCE),
        Result(f"memory of the optimizer, {title}", "bytes/par.", memory, reference=REFERENCE),
    ]
    harness.publish(results, file=arguments.json)


if __name__ == "__main__":
    main()
