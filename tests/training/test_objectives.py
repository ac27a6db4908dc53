"""Every GAN objective of ours is one that training can use, and it moves with the run."""

import inspect

import pytest
import torch
from small_training import make, small_part
from torch import Tensor, nn

from sr.losses import gan
from sr.losses.gan import HingeGANLoss
from sr.training.objectives import GANObjective

OBJECTIVES = [
    each for name, each in vars(gan).items() if name.endswith("GANLoss") and issubclass(each, nn.Module)
]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("method", ["generator", "discriminator"])
def test_our_objectives_have_the_signatures_that_training_calls(objective: type, method: str) -> None:
    asked, found = (inspect.signature(getattr(each, method)) for each in (GANObjective, objective))
    assert found == asked


def test_an_objective_that_is_a_module_is_a_part_of_the_module_that_trains() -> None:
    module = make(gan_loss=HingeGANLoss())
    assert module.gan_loss in list(module.children())


def test_an_objective_need_not_be_a_module() -> None:
    class Distance:
        def generator(self, *, real: Tensor, fake: Tensor) -> Tensor:
            return -fake.mean()

        def discriminator(self, *, real: Tensor, fake: Tensor) -> Tensor:
            return fake.mean() - real.mean()

    module = make(gan_loss=Distance())
    module.manual_backward = lambda loss: loss.backward()
    lr, hr = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 32, 32)
    values = module.backward_pass(small_part(lr, hr), iteration=0, share=1.0)
    assert values.losses.discriminator.isfinite()
