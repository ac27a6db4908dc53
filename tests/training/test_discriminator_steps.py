"""In which iterations the discriminator is updated, and what stands still in the others."""

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from helpers import equal
from optimizer_options import option
from small_training import BATCH, Pairs, fit, make, weights
from torch import Tensor

from sr.losses.gan import VanillaGANLoss
from sr.training.discriminator_steps import DiscriminatorSteps
from sr.training.optimization import Optimization
from sr.training.schedule import AdversarialRamp


class Scripted(VanillaGANLoss):
    """The generator's objective has the next value of a list, whatever the images are, and its own gradient."""

    def __init__(self, values: list[float]) -> None:
        super().__init__()
        self.values = iter(values)

    def generator(self, *, real: Tensor, fake: Tensor) -> Tensor:
        plain = super().generator(real=real, fake=fake)
        return plain - plain.detach() + next(self.values)


class Watch(L.Callback):
    """The weights of D, the state of its optimizer, and what is logged, after every iteration."""

    def __init__(self) -> None:
        self.weights: list[Tensor] = []
        self.generator: list[Tensor] = []
        self.logged: list[dict[str, float]] = []

    def on_train_start(self, trainer: L.Trainer, module: Any) -> None:
        self.weights.append(weights(module.discriminator))
        self.generator.append(weights(module.generator))

    def on_train_batch_end(self, trainer: L.Trainer, module: Any, *_: Any) -> None:
        self.weights.append(weights(module.discriminator))
        self.generator.append(weights(module.generator))
        self.logged.append({key: float(value) for key, value in trainer.callback_metrics.items()})

    def updated(self) -> list[int]:
        """The iterations in which D changed."""
        assert all(not torch.equal(*pair) for pair in pairwise(self.generator))
        return [number for number, pair in enumerate(pairwise(self.weights)) if not torch.equal(*pair)]


def test_every_nth_iteration_from_the_first_one_of_both_nets(tmp_path: Path) -> None:
    """G is updated in all of them. The schedule of D stands still with it; the share that is logged is of the GAN."""
    watch = Watch()
    module = make(
        discriminator_steps=DiscriminatorSteps(every=3),
        ramp=AdversarialRamp(generator_only=2),
        optimization=Optimization(warmup_iterations=4),
    )
    data = Pairs(BATCH * 7)
    trainer = fit(module, tmp_path, steps=7, data=data, callbacks=[watch], log_every_n_steps=7)
    assert watch.updated() == [2, 5]
    assert trainer.global_step == 7
    rates = [optimizer.param_groups[0]["lr"] for optimizer in trainer.optimizers]
    assert rates == pytest.approx([1e-3, 1e-3 * 3 / 5])
    assert [each.state_dict()["state"][0]["step"].item() for each in trainer.optimizers] == [7, 2]
    assert watch.logged[-1]["train/discriminator_updates"] == pytest.approx(2 / 5)
    assert watch.logged[-1]["train/learning_rate_d"] == pytest.approx(1e-3 * 3 / 5)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_discriminator_rests_while_it_wins(tmp_path: Path, accumulate: int) -> None:
    values = [1.0, 1.4, 1.6, 3.0, 1.0, 2.0, 1.0]
    # m: 1, 1.2, 1.4, 2.2, 1.6, 1.8, so 1.5 m before each: -, 1.5, 1.8, 2.1, 3.3, 2.4, 2.7
    watch = Watch()
    module = make(
        gan_loss=Scripted([value for value in values for _ in range(accumulate)]),
        discriminator_steps=DiscriminatorSteps(pause_threshold=1.5, pause_average=0.5),
        optimization=Optimization(accumulate=accumulate),
    )
    fit(module, tmp_path, steps=7, data=Pairs(BATCH * 7), callbacks=[watch])
    assert watch.updated() == [0, 1, 2, 4, 5, 6]
    assert [each["train/discriminator_updates"] for each in watch.logged] == [1, 1, 1, 0, 1, 1, 1]
    assert module.discriminator_steps.updates == 6


@pytest.mark.parametrize(
    ("values", "taken"),
    [
        ([2.0, 2.9, 3.0, 9.0], [True, True, True, False]),  # the average before is the first value
        ([2.0, 3.1, 3.1], [True, False, True]),  # 3.1 against 3.0, and against 1.5 times 2.55
        # Negative: above by half of its size, -2 + 1, where 1.5 times as much would be further down.
        ([-2.0, -1.1, -0.7, -2.0], [True, True, False, True]),
        ([1.0, float("nan"), float("inf"), 1.6, 1.2], [True, True, True, False, True]),
    ],
)
def test_the_rule_of_the_pause(values: list[float], taken: list[bool]) -> None:
    rule = DiscriminatorSteps(pause_threshold=1.5, pause_average=0.5)
    found = [rule.take(number, objective=torch.tensor(value)) for number, value in enumerate(values)]
    assert found == taken


def test_the_average_is_that_of_the_definition() -> None:
    rule, average = DiscriminatorSteps(pause_threshold=2.0, pause_average=0.9), 3.0
    for number, value in enumerate([3.0, 1.0, 4.0, 1.0, 5.0]):
        rule.take(number, objective=torch.tensor(value))
        average = 0.9 * average + 0.1 * value
    assert rule.state_dict() == {"updates": 5, "average": pytest.approx(average, rel=1e-12)}


def test_both_rules_must_let_it_be_updated() -> None:
    rule = DiscriminatorSteps(every=2, pause_threshold=1.5, pause_average=0.5)
    values = [1.0, 1.0, 9.0, 1.0, 1.0]
    assert [rule.take(number, objective=torch.tensor(value)) for number, value in enumerate(values)] == [
        *(True, False, False, False, True)
    ]
    other = DiscriminatorSteps(every=2, pause_threshold=1.5, pause_average=0.5)
    other.load_state_dict(rule.state_dict())
    assert other.state_dict() == rule.state_dict()


@pytest.mark.parametrize("name", ["adam", "schedule_free", "muon"])
def test_an_iteration_without_an_update_changes_no_state(tmp_path: Path, name: str) -> None:
    """Of D, as if it had not been: with the same images for G, every second one is a run of D on the others."""
    still = partial(torch.optim.SGD, lr=0.0)
    whole = Pairs(BATCH * 4)
    halves = torch.utils.data.Subset(whole, [*range(BATCH), *range(2 * BATCH, 3 * BATCH)])
    trained = []
    for every, steps, data in ((2, 4, whole), (1, 2, halves)):
        module = make(
            discriminator_steps=DiscriminatorSteps(every=every), optimizer_g=still, optimizer_d=option(name)
        )
        trainer = fit(module, tmp_path, steps=steps, data=data)
        trained.append((trainer.optimizers[1].state_dict(), dict(module.discriminator.state_dict())))
    assert equal(*trained)
    assert not torch.equal(weights(module.discriminator), weights(make().discriminator))


def test_without_a_rule_nothing_is_logged(tmp_path: Path) -> None:
    watch = Watch()
    fit(make(), tmp_path, steps=2, callbacks=[watch])
    assert watch.updated() == [0, 1]
    assert "train/discriminator_updates" not in watch.logged[-1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"every": 0}, r"model\.discriminator_steps\.every=0 must be 1 or more"),
        ({"pause_threshold": 0.9}, r"pause_threshold=0\.9 must be finite and at least 1, or null"),
        ({"pause_threshold": float("inf")}, r"pause_threshold=inf must be finite"),
        ({"pause_average": 1.0}, r"model\.discriminator_steps\.pause_average=1\.0 must be in \[0, 1\)"),
    ],
)
def test_wrong_numbers_are_refused_by_key(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DiscriminatorSteps(**wrong)
