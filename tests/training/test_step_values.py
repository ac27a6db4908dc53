"""The numbers of a batch from those of its parts."""

import torch

from sr.training.step_values import Losses, StepValues


def part(value: float, *, loss_d: float | None) -> StepValues:
    return StepValues(
        losses=Losses(
            generator=torch.tensor(value), discriminator=None if loss_d is None else torch.tensor(loss_d)
        ),
        terms={"l1": torch.tensor(2 * value)},
        health={"accuracy_d": torch.tensor(float("nan"))},
    )


def test_a_batch_has_the_means_of_its_parts() -> None:
    whole = StepValues.mean([part(1.0, loss_d=4.0), part(2.0, loss_d=6.0)])
    assert {name: value.item() for name, value in whole.training().items()} == {
        "l1": 3.0,
        "loss_g": 1.5,
        "loss_d": 5.0,
    }
    assert whole.health["accuracy_d"].isnan()


def test_an_idle_discriminator_has_no_loss() -> None:
    whole = StepValues.mean([part(1.0, loss_d=None)] * 2)
    assert whole.losses.discriminator is None
    assert list(whole.training()) == ["l1", "loss_g"]


def test_health_that_is_no_number_is_no_training_number() -> None:
    """Only the latter keep weights from being changed."""
    values = part(1.0, loss_d=None)
    assert all(value.isfinite() for value in values.training().values())
