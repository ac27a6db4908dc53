"""What holds for every GAN objective."""

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

REAL, FAKE = torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 3.0])

OBJECTIVES = {
    "vanilla": VanillaGANLoss(),
    "vanilla_smoothed": VanillaGANLoss(label_smoothing=0.1),
    "least_squares": LeastSquaresGANLoss(label_smoothing=0.1),
    "hinge": HingeGANLoss(),
    "wasserstein": WassersteinGANLoss(),
    "relativistic": RelativisticAverageGANLoss(base=VanillaGANLoss(label_smoothing=0.1)),
    "relativistic_least_squares": RelativisticAverageGANLoss(base=LeastSquaresGANLoss(fake_target=-1.0)),
    "relativistic_hinge": RelativisticAverageGANLoss(base=HingeGANLoss()),
}


every_objective = pytest.mark.parametrize("loss", OBJECTIVES.values(), ids=OBJECTIVES.keys())


@every_objective
@pytest.mark.parametrize("method", ["generator", "discriminator"])
def test_gradients_against_finite_differences(loss: torch.nn.Module, method: str) -> None:
    generator = torch.Generator().manual_seed(1)
    real, fake = torch.randn(2, 2, 1, 3, 2, generator=generator, dtype=torch.float64).requires_grad_()

    def call(real: Tensor, fake: Tensor) -> Tensor:
        return getattr(loss, method)(real=real, fake=fake)

    assert torch.autograd.gradcheck(call, (real, fake))
    assert torch.autograd.gradcheck(call, (real.detach(), fake))


@every_objective
def test_descent_moves_the_logits_apart_for_d_and_the_fake_up_for_g(loss: torch.nn.Module) -> None:
    real, fake = (
        torch.tensor([[0.2], [-0.1]], requires_grad=True),
        torch.tensor([[0.1], [0.0]], requires_grad=True),
    )
    for_real, for_fake = torch.autograd.grad(loss.discriminator(real=real, fake=fake), (real, fake))
    assert (for_real < 0).all()
    assert (for_fake > 0).all() or isinstance(
        loss, LeastSquaresGANLoss
    )  # whose fake logit 0 is on its target
    (push,) = torch.autograd.grad(loss.generator(real=real.detach(), fake=fake), fake)
    assert (push < 0).all()


@every_objective
@pytest.mark.parametrize("method", ["generator", "discriminator"])
def test_half_precision_logits_are_computed_in_float32(loss: torch.nn.Module, method: str) -> None:
    generator = torch.Generator().manual_seed(2)
    real, fake = torch.randn(2, 4, 1, 8, 8, generator=generator).to(torch.bfloat16)
    result = getattr(loss, method)(real=real, fake=fake)
    assert result.dtype == torch.float32
    assert torch.equal(result, getattr(loss, method)(real=real.float(), fake=fake.float()))


@pytest.mark.parametrize("loss", [VanillaGANLoss(), RelativisticAverageGANLoss(base=VanillaGANLoss())])
def test_extreme_logits_neither_overflow_nor_saturate_where_they_are_wrong(loss: torch.nn.Module) -> None:
    real, fake = torch.tensor([-1e4], requires_grad=True), torch.tensor([1e4], requires_grad=True)
    result = loss.discriminator(real=real, fake=fake)
    result.backward()
    # vanilla: softplus(1e4) twice; relative logits are twice as far apart
    assert result.item() == (2e4 if isinstance(loss, VanillaGANLoss) else 4e4)
    assert real.grad.item() < -0.9
    assert fake.grad.item() > 0.9


@every_objective
def test_real_and_fake_may_differ_in_shape(loss: torch.nn.Module) -> None:
    real, fake = torch.tensor([2.0, 0.0, 2.0, 0.0]), FAKE
    for method in ("generator", "discriminator"):
        torch.testing.assert_close(
            getattr(loss, method)(real=real, fake=fake), getattr(loss, method)(real=REAL, fake=fake)
        )
