"""What a training module updates, and what of it steps in an iteration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightning as L
import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from sr.ops.private_lightning import count_step
from sr.ops.private_torch import pass_over
from sr.training.averaged_weights import check_net, check_schedule
from sr.training.parameter_groups import NetParameters
from sr.training.schedule import OptimizerFactory, SchedulerFactory, build_scheduler


def always(iteration: int) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A net and what updates it.

    Attributes:
        name: the end of the log key `train/learning_rate_<name>`.
        net: the net that is updated; two optimizers may take turns with one net.
        optimizer: parameters -> optimizer.
        scheduler: optimizer -> scheduler, stepped in every iteration in which the optimizer steps.
        steps_at: iteration, counted from 0 -> whether the optimizer steps there.
        within: the start of the keys of both in the configuration, with its dot.
    """

    name: str
    net: nn.Module
    optimizer: OptimizerFactory
    scheduler: SchedulerFactory
    steps_at: Callable[[int], bool] = always
    within: str = ""

    @property
    def letter(self) -> str:
        """`g` or `d`: which of the two nets it is, in every stage."""
        return self.name[0]

    def key(self, part: str) -> str:
        """The key of the configuration that says what the `optimizer` or `scheduler` is."""
        return f"{self.within}{part}_{self.letter}"

    def build(self, *, warmup_iterations: int) -> tuple[Optimizer, LRScheduler]:
        """The optimizer and its scheduler.

        Raises:
            ValueError: names the key of an optimizer that cannot be built, or does not suit the net or the scheduler.
        """
        try:
            optimizer = self.optimizer(NetParameters(self.net))
            check_net(optimizer, self.net, name=self.name)
        except ValueError as error:
            raise ValueError(f"{self.key('optimizer')}: {error}") from error
        scheduler = build_scheduler(optimizer, self.scheduler, warmup_iterations=warmup_iterations)
        check_schedule(optimizer, scheduler, key=self.key("scheduler"))
        return optimizer, scheduler


@dataclass(frozen=True, kw_only=True)
class Stepping:
    """A net that is updated in this iteration.

    Attributes:
        name: the name of the `Trained` that it belongs to.
        net: the net.
        optimizer: torch's optimizer.
        counted: the same optimizer in Lightning's wrapper, each step of which counts in `global_step`.
        scheduler: the scheduler of the optimizer.
    """

    name: str
    net: nn.Module
    optimizer: Optimizer
    counted: LightningOptimizer
    scheduler: LRScheduler

    @property
    def letter(self) -> str:
        """`g` or `d`: which of the two nets it is, in every stage."""
        return self.name[0]

    def learning_rate(self) -> float:
        return learning_rate(self.optimizer)

    def step(self, *, counts: bool, taken: bool) -> None:
        """Step the optimizer; if not `taken`, only its place in the iteration goes by. `counts`: in `global_step`."""
        if taken:
            # Lightning has autocast on in all of `training_step`; it would round the matrices of an optimizer to bf16.
            with torch.autocast(next(self.net.parameters()).device.type, enabled=False):
                (self.counted if counts else self.optimizer).step()
            return
        pass_over(self.optimizer)
        if counts:
            count_step(self.counted)


def learning_rate(optimizer: Optimizer) -> float:
    """The rate of the first group; of optimizers that find it themselves, such as Prodigy, the one that they found."""
    group = optimizer.param_groups[0]
    return float(group["lr"] * group.get("d", 1.0))


def stepping_at(iteration: int, trained: Sequence[Trained], *, module: L.LightningModule) -> list[Stepping]:
    """Those that are updated at an iteration, counted from 0; `trained` is in the order of the module's optimizers."""
    optimizers, counted = listed(module.optimizers(use_pl_optimizer=False)), listed(module.optimizers())
    rows = zip(trained, optimizers, counted, listed(module.lr_schedulers()), strict=True)
    return [
        Stepping(name=each.name, net=each.net, optimizer=optimizer, counted=wrapper, scheduler=scheduler)
        for each, optimizer, wrapper, scheduler in rows
        if each.steps_at(iteration)
    ]


def listed(found: Any) -> list[Any]:
    """The same as a list: Lightning returns a single optimizer or scheduler without one."""
    return found if isinstance(found, list) else [found]
