"""A schedule-free optimizer: averaged weights between iterations, trained ones within."""

from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from optimizer_options import option
from small_training import BATCH, Pairs, fit, make, weights
from torch import Tensor, nn
from torch.optim.lr_scheduler import ConstantLR

from sr.training.averaged_weights import TrainedWeights, check_schedule, switches
from sr.training.gan import FirstStage, GANModule
from sr.training.optimization import Optimization
from sr.training.schedule import AdversarialRamp, build_scheduler
from sr.training.skip import skips_on_device

CONSTANT = partial(ConstantLR, factor=1.0, total_iters=0)


def by_the_paper(gradient: Any, *, start: Tensor, rates: list[float], betas: tuple[float, float]) -> Tensor:
    """x after as many iterations as there are rates: algorithm 1 of Defazio et al. (2024), without weight decay."""
    x = z = start.clone()
    squares, whole, largest = torch.zeros_like(start), 0.0, 0.0
    for number, rate in enumerate(rates, 1):
        y = (1 - betas[0]) * z + betas[0] * x
        g = gradient(y)
        squares = betas[1] * squares + (1 - betas[1]) * g.square()
        z = z - rate * g / ((squares / (1 - betas[1] ** number)).sqrt() + 1e-8)
        largest = max(largest, rate)
        whole += largest**2
        share = largest**2 / whole
        x = (1 - share) * x + share * z
    return x


def test_it_is_the_algorithm_of_the_paper_with_our_warmup() -> None:
    """The warm-up outside the optimizer counts in its average as one inside would."""
    target = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
    weight = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimizer = option("schedule_free", lr=0.1)([weight])
    scheduler = build_scheduler(optimizer, CONSTANT, warmup_iterations=4)
    for _ in range(20):
        trained = TrainedWeights([optimizer])
        weight.grad = (weight - target).detach()
        optimizer.step()
        trained.leave(stepped=True)
        scheduler.step()
    rates = [0.1 * min(1, (number + 1) / 5) for number in range(20)]
    expected = by_the_paper(
        lambda y: y - target, start=torch.zeros_like(target), rates=rates, betas=(0.9, 0.999)
    )
    torch.testing.assert_close(weight.detach(), expected, atol=1e-9, rtol=0)
    assert weight[0] > 0.2


def test_trained_weights_are_there_only_within_an_iteration(tmp_path: Path) -> None:
    """The average sees averaged weights: at a decay of 0 it is those of the optimizer."""
    seen: dict[str, list[Tensor]] = {"within": [], "between": []}
    module = make(
        optimizer_g=option("schedule_free"),
        optimizer_d=option("schedule_free"),
        optimization=Optimization(ema_decay=0.0),
    )
    backward_pass = module.backward_pass

    def watched(*args: Any, **keywords: Any) -> Any:
        seen["within"].append(weights(module.generator))
        assert all(group["train_mode"] for each in module.trainer.optimizers for group in each.param_groups)
        return backward_pass(*args, **keywords)

    class Watch(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
            assert not any(group["train_mode"] for each in trainer.optimizers for group in each.param_groups)
            assert torch.equal(weights(module.generator), weights(module.generator_ema))
            seen["between"].append(weights(module.generator))

    module.backward_pass = watched  # type: ignore[method-assign]
    fit(module, tmp_path, steps=3, callbacks=[Watch()])
    first, second = (optimizer.state_dict()["param_groups"][0] for optimizer in module.trainer.optimizers)
    assert first["step"] == second["step"] == 3
    # At first both are the start; from the second step on z and x differ, and so do y and x.
    assert torch.equal(seen["within"][1], seen["between"][0])
    assert not torch.equal(seen["within"][2], seen["between"][1])


def test_an_iteration_without_a_step_changes_no_bit() -> None:
    """Though going to the trained weights and back rounds."""
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(1000))
    optimizer = option("schedule_free", lr=0.3)([weight])
    for _ in range(3):
        trained = TrainedWeights([optimizer])
        weight.grad = torch.randn(1000)
        optimizer.step()
        trained.leave(stepped=True)
    before = weight.detach().clone()
    trained = TrainedWeights([optimizer])
    assert not torch.equal(weight, before)
    optimizer.eval()
    assert not torch.equal(weight, before)  # rounded
    optimizer.train()
    trained.leave(stepped=False)
    assert torch.equal(weight, before)
    assert not optimizer.param_groups[0]["train_mode"]


def test_the_gan_stage_begins_with_the_average_whatever_the_first_stage_averaged(tmp_path: Path) -> None:
    """The first stage's optimizer, which rests then, must not pull the generator back to its own weights."""
    first = FirstStage(
        content_loss=make().content_loss, optimizer_g=option("schedule_free"), scheduler_g=CONSTANT
    )
    module = make(
        GANModule,
        first_stage=first,
        ramp=AdversarialRamp(generator_only=2),
        optimizer_g=partial(torch.optim.SGD, lr=0.0),
    )
    averages = []

    class Watch(L.Callback):
        def on_train_batch_end(self, *_: Any) -> None:
            averages.append(weights(module.generator_ema))

    fit(module, tmp_path, steps=4, data=Pairs(4 * BATCH), callbacks=[Watch()])
    assert torch.equal(weights(module.generator), averages[1])


def test_which_optimizers_have_two_versions() -> None:
    weight = nn.Parameter(torch.zeros(1))
    assert switches(option("schedule_free")([weight]))
    for plain in (torch.optim.Adam([weight]), option("lion")([weight]), option("prodigy")([weight])):
        assert not switches(plain)

    class OfAUser(torch.optim.SGD):
        def train(self) -> None: ...

        def eval(self) -> None: ...

    assert switches(OfAUser([weight]))
    # The device could skip its step, but not the way to the averaged weights, which rounds.
    fused = [kind([weight], fused=True) for kind in (torch.optim.SGD, OfAUser)]
    assert [skips_on_device([each], torch.device("cuda")) for each in fused] == [True, False]


@pytest.mark.parametrize("warmup", [0, 3])
def test_a_schedule_of_a_stage_is_refused_by_its_own_key(warmup: int) -> None:
    optimizer = option("schedule_free")([nn.Parameter(torch.zeros(1))])
    falling = partial(torch.optim.lr_scheduler.StepLR, step_size=3)
    scheduler = build_scheduler(optimizer, falling, warmup_iterations=warmup)
    with pytest.raises(ValueError, match=r"write scheduler@model\.first_stage\.scheduler_g=constant"):
        check_schedule(optimizer, scheduler, key="model.first_stage.scheduler_g")
    constant = build_scheduler(optimizer, CONSTANT, warmup_iterations=warmup)
    check_schedule(optimizer, constant, key="scheduler_g")
