import math

import pytest
import torch

from sr.losses.pixel import L1Loss, MSELoss
from sr.losses.weighted import WeightedLoss, WeightedTerm

SR, HR = torch.full((1, 3, 2, 2), 0.75), torch.full((1, 3, 2, 2), 0.25)  # L1 0.5, MSE 0.25


def test_terms_are_weighted_and_keep_their_names_and_order() -> None:
    loss = WeightedLoss(
        terms={
            "sharp": WeightedTerm(weight=1e-2, loss=L1Loss()),
            "a_second": WeightedTerm(weight=3.0, loss=MSELoss()),
            "off": WeightedTerm(weight=0.0, loss=L1Loss()),
        }
    )
    values = loss(SR, HR)
    assert list(values) == ["sharp", "a_second", "off"]
    assert {name: value.item() for name, value in values.items()} == pytest.approx(
        {"sharp": 1e-2 * 0.5, "a_second": 3.0 * 0.25, "off": 0.0}
    )


def test_the_sum_has_the_weighted_gradient() -> None:
    sr = SR.clone().requires_grad_()
    loss = WeightedLoss(
        terms={"l1": WeightedTerm(weight=2.0, loss=L1Loss()), "mse": WeightedTerm(weight=3.0, loss=MSELoss())}
    )
    sum(loss(sr, HR).values()).backward()
    # per pixel, 12 of them: (2 sign(0.5) + 3 * 2 * 0.5) / 12 = 5 / 12
    torch.testing.assert_close(sr.grad, torch.full_like(SR, 5 / 12))


def test_losses_with_parameters_follow_the_module() -> None:
    class Scaled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = torch.nn.Parameter(torch.tensor(2.0))

        def forward(self, sr: torch.Tensor, hr: torch.Tensor) -> torch.Tensor:
            return self.factor * (sr - hr).mean()

    loss = WeightedLoss(terms={"scaled": WeightedTerm(weight=0.5, loss=Scaled())}).double()
    assert [parameter.dtype for parameter in loss.parameters()] == [torch.float64]
    assert loss(SR, HR)["scaled"].item() == pytest.approx(0.5 * 2.0 * 0.5)


@pytest.mark.parametrize("weight", [-1e-9, math.nan, math.inf])
def test_weight_must_be_finite_and_not_negative(weight: float) -> None:
    with pytest.raises(ValueError, match=f"weight={weight} of L1Loss"):
        WeightedTerm(weight=weight, loss=L1Loss())


def test_no_terms_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        WeightedLoss(terms={})


def test_a_term_set_to_null_is_an_error_with_its_name() -> None:
    with pytest.raises(TypeError, match=r"terms\['perceptual'\] is None"):
        WeightedLoss(terms={"l1": WeightedTerm(weight=1.0, loss=L1Loss()), "perceptual": None})


@pytest.mark.parametrize("name", ["keys", "conv5.4", ""])
def test_a_name_a_module_cannot_have_is_an_error_with_the_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"term named '{name}'"):
        WeightedLoss(terms={name: WeightedTerm(weight=1.0, loss=L1Loss())})
