"""softplus(x) = log(1 + e^x), to six digits:

x      -4         -3         -2         -1         0          1          2          3          4
       0.018150   0.048587   0.126928   0.313262   0.693147   1.313262   2.126928   3.048587   4.018150
"""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sr.losses.gan import (
    HingeGANLoss,
    LeastSquaresGANLoss,
    RelativisticAverageGANLoss,
    VanillaGANLoss,
    WassersteinGANLoss,
)

REAL, FAKE = torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 3.0])

relativistic_objectives = pytest.mark.parametrize(
    "loss",
    [
        RelativisticAverageGANLoss(base=VanillaGANLoss(label_smoothing=0.1)),
        RelativisticAverageGANLoss(base=LeastSquaresGANLoss(fake_target=-1.0)),
        RelativisticAverageGANLoss(base=HingeGANLoss()),
    ],
)


def value(loss: Tensor) -> float:
    assert loss.shape == ()
    return loss.item()


def approx(expected: float) -> object:
    return pytest.approx(expected, abs=2e-6)


# Numbers by hand, on real logits (2, 0) and fake logits (-1, 3).


def test_vanilla() -> None:
    loss = VanillaGANLoss()
    # D: real softplus(-2), softplus(0); fake softplus(-1), softplus(3).  G: softplus(1), softplus(-3).
    assert value(loss.discriminator(real=REAL, fake=FAKE)) == approx(
        (0.126928 + 0.693147) / 2 + (0.313262 + 3.048587) / 2
    )
    assert value(loss.generator(real=REAL, fake=FAKE)) == approx((1.313262 + 0.048587) / 2)


def test_vanilla_smooths_only_the_real_labels_of_the_discriminator() -> None:
    loss = VanillaGANLoss(label_smoothing=0.1)
    # real at 2: 0.9 * 0.126928 + 0.1 * 2.126928 = 0.326928; real at 0: 0.693147; fake as without smoothing
    assert value(loss.discriminator(real=REAL, fake=FAKE)) == approx(
        (0.326928 + 0.693147) / 2 + (0.313262 + 3.048587) / 2
    )
    assert value(loss.generator(real=REAL, fake=FAKE)) == approx((1.313262 + 0.048587) / 2)


def test_least_squares() -> None:
    loss = LeastSquaresGANLoss()
    # D: ((2 - 1)^2 + (0 - 1)^2) / 2 + ((-1)^2 + 3^2) / 2 = 1 + 5.  G: ((-1 - 1)^2 + (3 - 1)^2) / 2 = 4.
    assert value(loss.discriminator(real=REAL, fake=FAKE)) == approx(6.0)
    assert value(loss.generator(real=REAL, fake=FAKE)) == approx(4.0)


def test_least_squares_with_targets_and_smoothing() -> None:
    loss = LeastSquaresGANLoss(real_target=2.0, fake_target=-1.0, label_smoothing=0.1)
    # D: target of real 2 + 0.1 (-1 - 2) = 1.7: (0.3^2 + 1.7^2) / 2 = 1.49; fake: (0^2 + 4^2) / 2 = 8.
    # G: ((-1 - 2)^2 + (3 - 2)^2) / 2 = 5, unsmoothed.
    assert value(loss.discriminator(real=REAL, fake=FAKE)) == approx(9.49)
    assert value(loss.generator(real=REAL, fake=FAKE)) == approx(5.0)


def test_hinge() -> None:
    loss = HingeGANLoss()
    # D: (max(0, 1 - 2) + max(0, 1 - 0)) / 2 + (max(0, 1 - 1) + max(0, 1 + 3)) / 2 = 0.5 + 2
    # G: -(-1 + 3) / 2
    assert value(loss.discriminator(real=REAL, fake=FAKE)) == approx(2.5)
    assert value(loss.generator(real=REAL, fake=FAKE)) == approx(-1.0)


def test_wasserstein() -> None:
    loss = WassersteinGANLoss()
    # D: (-1 + 3) / 2 - (2 + 4) / 2 = -2.  G: -(-1 + 3) / 2.
    assert value(loss.discriminator(real=torch.tensor([2.0, 4.0]), fake=FAKE)) == approx(-2.0)
    assert value(loss.generator(real=REAL, fake=FAKE)) == approx(-1.0)


# Real logits (3, -1) of mean 1, fake logits (-2, 0) of mean -1: relative real (4, 0), relative fake (-3, -1).
RELATIVE = {"real": torch.tensor([3.0, -1.0]), "fake": torch.tensor([-2.0, 0.0])}


def test_relativistic() -> None:
    loss = RelativisticAverageGANLoss(base=VanillaGANLoss())
    # D: softplus(-4), softplus(0); softplus(-3), softplus(-1)
    # G: softplus(4), softplus(0); softplus(3), softplus(1)
    assert value(loss.discriminator(**RELATIVE)) == approx(
        (0.018150 + 0.693147) / 2 + (0.048587 + 0.313262) / 2
    )
    assert value(loss.generator(**RELATIVE)) == approx((4.018150 + 0.693147) / 2 + (3.048587 + 1.313262) / 2)


def test_relativistic_smooths_the_discriminator_only() -> None:
    loss = RelativisticAverageGANLoss(base=VanillaGANLoss(label_smoothing=0.1))
    # real at 4: 0.9 * 0.018150 + 0.1 * 4.018150 = 0.418150; real at 0: 0.693147
    assert value(loss.discriminator(**RELATIVE)) == approx(
        (0.418150 + 0.693147) / 2 + (0.048587 + 0.313262) / 2
    )
    assert value(loss.generator(**RELATIVE)) == approx((4.018150 + 0.693147) / 2 + (3.048587 + 1.313262) / 2)


def test_relativistic_least_squares() -> None:
    loss = RelativisticAverageGANLoss(base=LeastSquaresGANLoss(real_target=1.0, fake_target=-1.0))
    # D: ((4 - 1)^2 + (0 - 1)^2) / 2 + ((-3 + 1)^2 + (-1 + 1)^2) / 2 = 5 + 2
    # G: ((-3 - 1)^2 + (-1 - 1)^2) / 2 + ((4 + 1)^2 + (0 + 1)^2) / 2 = 10 + 13
    assert value(loss.discriminator(**RELATIVE)) == approx(7.0)
    assert value(loss.generator(**RELATIVE)) == approx(23.0)


def test_relativistic_hinge() -> None:
    loss = RelativisticAverageGANLoss(base=HingeGANLoss())
    # D: (max(0, -3) + max(0, 1)) / 2 + (max(0, -2) + max(0, 0)) / 2
    # G: (1 + 3 + 1 + 1) / 2 + (1 + 4 + 1 + 0) / 2
    assert value(loss.discriminator(**RELATIVE)) == approx(0.5)
    assert value(loss.generator(**RELATIVE)) == approx(6.0)


# The known mistakes.


def test_target_and_prediction_of_the_cross_entropy_are_not_swapped() -> None:
    # Right: a real logit's gradient is sigmoid(c) - 1, which dies out once the logit is high; a fake one's is
    # sigmoid(c). Swapped, the logits are taken for labels, and get the gradients -1 and 0 wherever they are.
    real = torch.tensor([-20.0, 0.0, 20.0], requires_grad=True)
    fake = torch.tensor([-20.0, 0.0, 20.0], requires_grad=True)
    VanillaGANLoss().discriminator(real=real, fake=fake).backward()
    torch.testing.assert_close(real.grad * 3, torch.tensor([-1.0, -0.5, 0.0]))
    torch.testing.assert_close(fake.grad * 3, torch.tensor([0.0, 0.5, 1.0]))
    right = VanillaGANLoss().discriminator(real=REAL, fake=FAKE)
    swapped = F.binary_cross_entropy_with_logits(torch.ones(2), REAL)
    swapped = swapped + F.binary_cross_entropy_with_logits(torch.zeros(2), FAKE)
    assert abs(right - swapped) > 0.1


@relativistic_objectives
def test_the_relativistic_generator_depends_on_the_real_logits(loss: RelativisticAverageGANLoss) -> None:
    fake = RELATIVE["fake"].clone().requires_grad_()
    real = RELATIVE["real"]
    near, far = loss.generator(real=real, fake=fake), loss.generator(real=real + 2, fake=fake)
    # better real images leave more to gain, and their detachment does not take that away
    assert far > near + 1
    assert torch.equal(loss.generator(real=real.clone().requires_grad_(), fake=fake).detach(), near.detach())
    # the gradient holds the real term too: the average of the fake logits inside E_r
    (gradient,) = torch.autograd.grad(near, fake)
    (without,) = torch.autograd.grad(loss.base.separate(high=fake - real.mean(), low=real * 0 - 100), fake)
    assert (gradient < without - 0.1).all()


@relativistic_objectives
def test_the_relativistic_loss_ignores_a_shift_of_all_logits(loss: RelativisticAverageGANLoss) -> None:
    shifted = {kind: logits + 7.0 for kind, logits in RELATIVE.items()}
    for method in (loss.generator, loss.discriminator):
        torch.testing.assert_close(method(**shifted), method(**RELATIVE))


def test_relativistic_equals_the_papers_formula() -> None:
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 3, 1, 4, 4, generator=generator, dtype=torch.float64)
    d_real, d_fake = torch.sigmoid(real - fake.mean()), torch.sigmoid(fake - real.mean())
    loss = RelativisticAverageGANLoss(base=VanillaGANLoss())
    torch.testing.assert_close(
        loss.discriminator(real=real, fake=fake), -d_real.log().mean() - (1 - d_fake).log().mean()
    )
    torch.testing.assert_close(
        loss.generator(real=real, fake=fake), -(1 - d_real).log().mean() - d_fake.log().mean()
    )


# Arguments.


@pytest.mark.parametrize("label_smoothing", [-0.1, 0.5, 1.0, float("nan")])
@pytest.mark.parametrize("objective", [VanillaGANLoss, LeastSquaresGANLoss])
def test_smoothing_out_of_range(objective: type, label_smoothing: float) -> None:
    with pytest.raises(ValueError, match=f"label_smoothing={label_smoothing}"):
        objective(label_smoothing=label_smoothing)


@pytest.mark.parametrize("targets", [(1.0, 1.0), (float("nan"), 0.0), (1.0, float("inf"))])
def test_targets_that_tell_nothing_apart(targets: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"real_target=.* must be finite and different"):
        LeastSquaresGANLoss(real_target=targets[0], fake_target=targets[1])


def test_relativistic_refuses_wasserstein_with_the_reason_and_strangers_with_the_choices() -> None:
    with pytest.raises(ValueError, match="linear, so the averages cancel"):
        RelativisticAverageGANLoss(base=WassersteinGANLoss())
    with pytest.raises(TypeError, match="VanillaGANLoss, LeastSquaresGANLoss, HingeGANLoss"):
        RelativisticAverageGANLoss(base=torch.nn.BCEWithLogitsLoss())
    with pytest.raises(TypeError, match="VanillaGANLoss, LeastSquaresGANLoss, HingeGANLoss"):
        RelativisticAverageGANLoss(base=RelativisticAverageGANLoss(base=HingeGANLoss()))
