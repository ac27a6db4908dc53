"""What a training module updates, and what of it steps in an iteration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightning as L
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from sr.training.schedule import OptimizerFactory, SchedulerFactory


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
    """

    name: str
    net: nn.Module
    optimizer: OptimizerFactory
    scheduler: SchedulerFactory
    steps_at: Callable[[int], bool] = always


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

    def learning_rate(self) -> float:
        rate: float = self.optimizer.param_groups[0]["lr"]
        return rate


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
