"""Under which key a number is logged, and which numbers the progress bar shows."""

import torch

from sr.training.log_keys import log_keys
from sr.training.step_values import Losses, StepValues

VALUES = StepValues(
    losses=Losses(generator=torch.tensor(1.0), discriminator=torch.tensor(2.0)),
    terms={"l1": torch.tensor(1.0)},
    metrics={"psnr_y": torch.tensor(28.0)},
    health={"accuracy_d": torch.tensor(0.5)},
)
MEANS = {
    "l1": torch.tensor(1.5),
    "loss_g": torch.tensor(1.5),
    "loss_d": torch.tensor(2.5),
    "mse": torch.tensor(4.0),
}


def test_losses_are_shown_and_everything_is_logged() -> None:
    """So is the term of a stage that has ended since the last log."""
    shown, others = log_keys(VALUES, means=MEANS, finite=torch.tensor(1.0))
    assert {key: value.item() for key, value in shown.items()} == {"train/loss_g": 1.5, "train/loss_d": 2.5}
    assert {key: value.item() for key, value in others.items()} == {
        "train/l1": 1.5,
        "train/mse": 4.0,
        "train/psnr_y": 28.0,
        "health/accuracy_d": 0.5,
    }


def test_a_bad_iteration_has_neither_metrics_nor_health() -> None:
    _, others = log_keys(VALUES, means=MEANS, finite=torch.tensor(0.0))
    assert others["train/psnr_y"].isnan()
    assert others["health/accuracy_d"].isnan()
    assert others["train/l1"].item() == 1.5
