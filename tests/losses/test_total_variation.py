import numpy as np
import pytest
import torch

from sr.losses.total_variation import AnisotropicTotalVariationLoss, TotalVariationLoss

SR = np.random.default_rng(0).random((2, 3, 5, 7))
BOTH = (TotalVariationLoss(), AnisotropicTotalVariationLoss())


def test_the_isotropic_one_is_the_length_of_gradients() -> None:
    along_x, along_y = SR[..., :-1, 1:] - SR[..., :-1, :-1], SR[..., 1:, :-1] - SR[..., :-1, :-1]
    expected = np.mean(np.sqrt(along_x**2 + along_y**2 + 0.01**2)) - 0.01
    value = TotalVariationLoss(eps=0.01)(torch.from_numpy(SR), torch.zeros(1)).item()
    assert value == pytest.approx(expected, rel=1e-12)


def test_the_anisotropic_one_is_the_sum_of_both_axes() -> None:
    expected = np.abs(np.diff(SR, axis=3)).mean() + np.abs(np.diff(SR, axis=2)).mean()
    value = AnisotropicTotalVariationLoss()(torch.from_numpy(SR), torch.zeros(1)).item()
    assert value == pytest.approx(expected, rel=1e-12)


def test_only_the_anisotropic_one_counts_a_diagonal_edge_as_more() -> None:
    rows, columns = torch.meshgrid(torch.arange(9.0), torch.arange(9.0), indexing="ij")
    straight, diagonal = (image.expand(1, 1, 9, 9) * 0.1 for image in (columns, (columns + rows) / 2**0.5))
    isotropic, anisotropic = ([loss(image, image).item() for image in (straight, diagonal)] for loss in BOTH)
    assert isotropic == pytest.approx([0.1 - 1e-3 + 5e-6] * 2, abs=1e-6)
    assert anisotropic == pytest.approx([0.1, 0.1 * 2**0.5], abs=1e-6)


@pytest.mark.parametrize("loss", BOTH, ids=lambda loss: type(loss).__name__)
def test_a_flat_image_is_zero_with_a_gradient_of_zero(loss: torch.nn.Module) -> None:
    sr = torch.full((1, 3, 4, 4), 0.4, dtype=torch.float64).requires_grad_()
    value = loss(sr, torch.rand(1, 3, 4, 4))
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-15)
    assert torch.equal(sr.grad, torch.zeros_like(sr))


@pytest.mark.parametrize("loss", BOTH, ids=lambda loss: type(loss).__name__)
def test_images_without_a_neighbour_are_refused(loss: torch.nn.Module) -> None:
    with pytest.raises(ValueError, match=r"at least 2 x 2 .* \(1, 3, 1, 5\)"):
        loss(*torch.zeros(2, 1, 3, 1, 5))


@pytest.mark.parametrize("eps", [0.0, -1e-3, float("nan"), float("inf")])
def test_an_eps_without_a_gradient_at_zero_is_refused(eps: float) -> None:
    with pytest.raises(ValueError, match=f"eps={eps}"):
        TotalVariationLoss(eps=eps)
