"""Learning rates over iterations, and the weight of the adversarial term."""

import math
from collections.abc import Callable
from typing import Literal, get_args

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LinearLR, LRScheduler, SequentialLR

OptimizerFactory = Callable[..., Optimizer]
SchedulerFactory = Callable[[Optimizer], LRScheduler]
Shape = Literal["linear", "cosine"]


def build_scheduler(
    optimizer: Optimizer, factory: SchedulerFactory, *, warmup_iterations: int
) -> LRScheduler:
    """The scheduler of `factory`, stepped once per iteration, behind a linear warm-up.

    The rate of warm-up iteration n (from 0) is (n + 1) / (warmup_iterations + 1) of the full one; the scheduler of
    `factory` begins when the warm-up has ended.
    """
    horizon = getattr(factory, "keywords", {}).get("T_max", 1)
    if horizon < 1:
        raise ValueError(f"scheduler T_max={horizon}: it ends with the run, so set trainer.max_steps")
    if not warmup_iterations:
        return factory(optimizer)
    warmup = LinearLR(optimizer, start_factor=1 / (warmup_iterations + 1), total_iters=warmup_iterations)
    return SequentialLR(optimizer, [warmup, factory(optimizer)], milestones=[warmup_iterations])


def cosine_to_share(optimizer: Optimizer, *, T_max: int, share: float) -> LambdaLR:
    """From the full rate of every group to a share of it, along half a cosine; it stays there.

    torch's `CosineAnnealingLR` ends at one absolute rate, which another optimizer or group could begin below, and turns
    back up after its end.

    Args:
        optimizer: the optimizer.
        T_max: the number of iterations on the way.
        share: the rate at the end divided by that at the start, in [0, 1].
    """
    if not 0 <= share <= 1:
        raise ValueError(f"scheduler share={share} must be a number from 0 to 1")

    def factor(iteration: int) -> float:
        return share + (1 - share) * (1 + math.cos(math.pi * min(1.0, iteration / T_max))) / 2

    return LambdaLR(optimizer, factor)


class AdversarialRamp:
    """The weight of the adversarial term over the iterations.

    Args:
        generator_only: the number of iterations at the start in which the generator trains alone on the content
            losses, and the discriminator is idle.
        ramp: the number of iterations after those in which the weight grows from 0 to 1.
        shape: the form of that growth, `linear` or `cosine`.
    """

    def __init__(self, *, generator_only: int = 0, ramp: int = 0, shape: Shape = "linear") -> None:
        if shape not in get_args(Shape):
            raise ValueError(f"ramp shape={shape!r}: choose one of {', '.join(get_args(Shape))}")
        if generator_only < 0 or ramp < 0:
            raise ValueError(
                f"generator_only={generator_only} and ramp={ramp} are iterations and cannot be negative"
            )
        self.generator_only = generator_only
        self.ramp = ramp
        self.shape = shape

    def __call__(self, iteration: int) -> float | None:
        """The factor in [0, 1] at an iteration, counted from 0; None while the generator trains alone."""
        if iteration < self.generator_only:
            return None
        done = min(1.0, (iteration - self.generator_only + 1) / (self.ramp + 1))
        return done if self.shape == "linear" else (1 - math.cos(math.pi * done)) / 2
