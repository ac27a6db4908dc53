import pytest
import torch

from sr.losses.pixel import CharbonnierLoss, L1Loss, MSELoss

SR = torch.tensor([[0.5, 0.25, 1.0, 0.0]])
HR = torch.tensor([[0.0, 0.25, 0.0, 0.5]])  # differences 0.5, 0, 1, -0.5


def test_l1_is_the_mean_of_absolute_differences() -> None:
    assert L1Loss()(SR, HR).item() == pytest.approx((0.5 + 0 + 1 + 0.5) / 4)


def test_mse_is_the_mean_of_squared_differences() -> None:
    assert MSELoss()(SR, HR).item() == pytest.approx((0.25 + 0 + 1 + 0.25) / 4)


def test_charbonnier_adds_eps_squared_under_the_root() -> None:
    # eps = 0.75: sqrt(0.25 + 0.5625) = 0.901388 twice, sqrt(0 + 0.5625) = 0.75, sqrt(1 + 0.5625) = 1.25
    expected = (0.901388 + 0.75 + 1.25 + 0.901388) / 4
    assert CharbonnierLoss(eps=0.75)(SR, HR).item() == pytest.approx(expected, abs=1e-6)


def test_charbonnier_of_equal_images_is_the_published_eps_with_a_zero_gradient() -> None:
    sr = HR.clone().requires_grad_()
    loss = CharbonnierLoss()(sr, HR)
    loss.backward()
    assert loss.item() == pytest.approx(1e-3)
    assert torch.equal(sr.grad, torch.zeros_like(HR))


@pytest.mark.parametrize(
    "loss", [L1Loss(), MSELoss(), CharbonnierLoss()], ids=lambda loss: type(loss).__name__
)
def test_gradients_and_types(loss: torch.nn.Module) -> None:
    generator = torch.Generator().manual_seed(0)
    sr, hr = torch.rand(2, 2, 3, 4, 5, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(loss, (sr.requires_grad_(), hr))
    half = loss(sr.to(torch.bfloat16), hr.to(torch.bfloat16))
    assert half.dtype == torch.float32
    assert torch.equal(half, loss(sr.to(torch.bfloat16).float(), hr.to(torch.bfloat16).float()))
    assert loss(sr.to(torch.bfloat16), hr).dtype == torch.float64


@pytest.mark.parametrize(
    "loss", [L1Loss(), MSELoss(), CharbonnierLoss()], ids=lambda loss: type(loss).__name__
)
def test_shapes_that_would_broadcast_are_refused(loss: torch.nn.Module) -> None:
    with pytest.raises(ValueError, match=r"\(2, 3, 4, 4\).*\(2, 1, 4, 4\)"):
        loss(torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4))


@pytest.mark.parametrize("eps", [0.0, -1e-3, float("nan"), float("inf")])
def test_charbonnier_refuses_an_eps_without_a_gradient_at_zero(eps: float) -> None:
    with pytest.raises(ValueError, match=f"eps={eps}"):
        CharbonnierLoss(eps=eps)


def test_charbonnier_takes_other_exponents() -> None:
    # eps = 0.75: 0.25 + 0.5625 = 0.8125 twice, 0.5625, 1.5625
    squares = (0.8125, 0.5625, 1.5625, 0.8125)
    for alpha in (0.3, 0.45, 1.0):
        expected = sum(square**alpha for square in squares) / 4
        assert CharbonnierLoss(eps=0.75, alpha=alpha)(SR, HR).item() == pytest.approx(expected, rel=1e-6)


def test_charbonnier_is_the_published_one_to_the_last_bit() -> None:
    sr, hr = torch.rand(2, 2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    mine, published = (sr.clone().requires_grad_() for _ in range(2))
    value, expected = CharbonnierLoss()(mine, hr), ((published - hr) ** 2 + 1e-6).sqrt().mean()
    value.backward()
    expected.backward()
    assert torch.equal(value, expected)
    assert torch.equal(mine.grad, published.grad)


@pytest.mark.parametrize("alpha", [0.0, -0.5, 1.5, float("nan")])
def test_charbonnier_refuses_exponents_out_of_range(alpha: float) -> None:
    with pytest.raises(ValueError, match=f"alpha={alpha}"):
        CharbonnierLoss(alpha=alpha)
