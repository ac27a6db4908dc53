"""What the processes of a run agree on in every iteration: are all numbers finite, is it time to save, or to stop?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

STOP, SAVE = "stop", "save"
REQUESTS = (STOP, SAVE)


@dataclass(frozen=True)
class Answer:
    """What all processes have agreed on; it is the same on each of them.

    Attributes:
        iteration: the iteration, counted from 1; 0 before the first answer.
        finite: whether every loss and gradient of every process was finite.
        requests: the requests (`REQUESTS`) of at least one process.
    """

    iteration: int = 0
    finite: bool = True
    requests: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Verdict:
    """What all processes have agreed on, on the device.

    Attributes:
        good: scalar, 1.0 if all numbers of all processes are finite or excused, else 0.0.
        steps: a scalar for each gradient: 1.0 if the iteration is good and this gradient is finite on all processes,
            else 0.0. They differ from `good` only where a gradient is excused.
    """

    good: Tensor
    steps: Sequence[Tensor]


@dataclass(frozen=True)
class Reading:
    """The numbers of one iteration on this process, and how they compare over all processes.

    Attributes:
        iteration: the iteration, counted from 1.
        here: whether the losses of this process are finite.
        everywhere: (4,) 1.0 or 0.0 for: all losses are finite, all gradients are finite or excused, no process asks to
            stop, no process asks to save.
        losses: the losses of this process by name.
        batch: the batch of this process.
        arrived: the event after which `everywhere` has been copied from the GPU; None if it is on the CPU already.
    """

    iteration: int
    here: Tensor
    everywhere: Tensor
    losses: Mapping[str, Tensor]
    batch: Mapping[str, Any]
    arrived: torch.cuda.Event | None = None

    def on_its_way(self) -> "Reading":
        """The same reading, with `everywhere` being copied from the GPU, which goes on working meanwhile."""
        host = torch.empty_like(self.everywhere, device="cpu", pin_memory=True)
        host.copy_(self.everywhere, non_blocking=True)
        arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
        arrived.record()
        return replace(self, everywhere=host, arrived=arrived)

    def answer(self) -> Answer:
        if self.arrived is not None:
            self.arrived.synchronize()
        losses, gradients, *quiet = self.everywhere.tolist()
        asked = frozenset(name for name, nobody in zip(REQUESTS, quiet, strict=True) if not nobody)
        return Answer(self.iteration, bool(losses and gradients), asked)

    def where(self) -> str:
        """Where the bad numbers are, in words. A bad gradient is on all processes as soon as they are exchanged."""
        if not self.here:
            return "here"
        return "in a gradient" if self.everywhere[0] else "on another process"


class Consensus:
    """Asks all processes at once, so that none of them acts alone and leaves the others waiting for it.

    On a CPU `latest` is the answer of this iteration. A GPU would be idle until it has arrived; there the device itself
    can keep bad numbers from the weights (`sr.training.skip`), and `latest` is the answer of the iteration before.

    Attributes:
        requests: the requests (`REQUESTS`) of this process; each stays until it is removed.
        latest: the last answer.
        bad: the last reading with bad numbers.
        bad_in_a_row: the number of iterations without an update since the last good one.
        bad_in_all: the number of iterations without an update since the start of the run.
    """

    def __init__(self) -> None:
        self.requests: set[str] = set()
        self.latest = Answer()
        self.bad: Reading | None = None
        self.bad_in_a_row = 0
        self.bad_in_all = 0
        self._travelling: Reading | None = None

    def ask(
        self,
        *,
        iteration: int,
        losses: Mapping[str, Tensor],
        gradients: Sequence[Tensor],
        batch: Mapping[str, Any],
        wait: bool,
        excused: Sequence[Tensor] = (),
    ) -> Verdict:
        """Ask whether all numbers of all processes are finite.

        Args:
            iteration: the iteration, counted from 1.
            losses: the losses of this process, scalars by name.
            gradients: the norm of the gradient of each net that is updated.
            batch: the batch that the losses were computed from.
            wait: whether `latest` becomes the answer of this iteration at once, or only in the next one.
            excused: a scalar for each gradient: 1.0 if it may be infinite without making the iteration bad, else 0.0;
                the same on all processes. Empty excuses none.
        """
        here, fine = _finite([*losses.values()]).all(), _finite(gradients)
        quiet = here.new_ones(len(REQUESTS))
        for request in self.requests:
            quiet[REQUESTS.index(request)] = False
        agreed = least(torch.cat([here[None], fine, quiet]).float())
        gradients_fine, quiet = agreed[1 : 1 + len(gradients)], agreed[1 + len(gradients) :]
        passed = torch.maximum(gradients_fine, torch.stack([*excused])) if excused else gradients_fine
        everywhere = torch.cat([agreed[:1], passed.amin(dim=0, keepdim=True), quiet])
        good = everywhere[:2].amin()
        now = Reading(iteration=iteration, here=here, everywhere=everywhere, losses=losses, batch=batch)
        if wait:
            self._hear(now)
        else:
            self.settle()
            self._travelling = now.on_its_way()
        return Verdict(good=good, steps=(good * gradients_fine).unbind())

    def agree(self, request: str, *, device: torch.device) -> bool:
        """Whether any process has this request now. Every process must call it, since each waits for the others."""
        return not least(torch.tensor(float(request not in self.requests), device=device))

    def settle(self) -> None:
        """Wait for the answer of the last iteration, if it has not arrived yet."""
        reading, self._travelling = self._travelling, None
        if reading is not None:
            self._hear(reading)

    def _hear(self, reading: Reading) -> None:
        self.latest = reading.answer()
        if self.latest.finite:
            self.bad_in_a_row = 0
        else:
            self.bad = reading
            self.bad_in_a_row += 1
            self.bad_in_all += 1

    def state_dict(self) -> dict[str, Any]:
        self.settle()
        return {"bad_in_a_row": self.bad_in_a_row, "bad_in_all": self.bad_in_all}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.bad_in_a_row, self.bad_in_all = state["bad_in_a_row"], state["bad_in_all"]


def least(numbers: Tensor) -> Tensor:
    """The minimum of each number over all processes.

    Lightning's `strategy.reduce` would do it too, but makes every process and its GPU wait at a barrier first.
    """
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(numbers, op=dist.ReduceOp.MIN)
    return numbers


def mean_over_processes(numbers: Tensor) -> Tensor:
    """Means of numbers without a graph over all processes, the same on each of them."""
    if not (dist.is_available() and dist.is_initialized()):
        return numbers
    total = numbers.clone()
    dist.all_reduce(total)
    return total / dist.get_world_size()


def _finite(numbers: Sequence[Tensor]) -> Tensor:
    return torch.stack([number.float() for number in numbers]).isfinite()
