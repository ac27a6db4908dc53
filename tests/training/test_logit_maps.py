"""Objectives of several discriminators in one: each has the same weight, and every objective its value."""

import pytest
import torch
from torch import Tensor

from sr.losses.gan import (
    HingeGANLoss,
    LeastSquaresGANLoss,
    RelativisticAverageGANLoss,
    VanillaGANLoss,
    WassersteinGANLoss,
)
from sr.training.logit_maps import average, logit_maps, split

OBJECTIVES = [
    VanillaGANLoss(),
    LeastSquaresGANLoss(),
    HingeGANLoss(),
    WassersteinGANLoss(),
    RelativisticAverageGANLoss(base=VanillaGANLoss()),
]


def logits(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: type(objective).__name__)
@pytest.mark.parametrize("method", ["generator", "discriminator"])
def test_a_small_map_weighs_as_much_as_a_large_one(objective: torch.nn.Module, method: str) -> None:
    measure = getattr(objective, method)
    real = logits(2, 1, 8, 8, seed=1), logits(2, 1, 2, 2, seed=2) + 5
    fake = logits(2, 1, 8, 8, seed=3), logits(2, 1, 2, 2, seed=4) + 4
    alone = [measure(real=r, fake=f) for r, f in zip(real, fake, strict=True)]
    torch.testing.assert_close(average(measure, real=real, fake=fake), (alone[0] + alone[1]) / 2)
    assert torch.equal(average(measure, real=real[:1], fake=fake[:1]), alone[0])  # a plain one is itself


def test_a_tensor_is_one_map_and_real_images_come_first() -> None:
    output = logits(4, 1, 3, 3, seed=1)
    assert logit_maps(output) == (output,)
    real, fake = split(logit_maps((output, 2 * output)))
    assert torch.equal(real[1], 2 * output[:2]) and torch.equal(fake[0], output[2:])
