import numpy as np
import pytest
import torch

from sr.ops.shifted_sum import shifted_sum

WEIGHTS = (0.5, -1.0, 0.0, 2.0)


@pytest.mark.parametrize("dim", [0, 1, 2, -1])
def test_it_is_the_correlation_of_numpy(dim: int) -> None:
    images = np.random.default_rng(0).random((5, 6, 7))
    expected = np.apply_along_axis(np.correlate, dim, images, WEIGHTS, mode="valid")
    result = shifted_sum(torch.from_numpy(images), WEIGHTS, dim=dim)
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("dim", [0, 1, 2, -1])
def test_both_derivatives_are_those_of_the_value(dim: int) -> None:
    images = torch.rand(4, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    images.requires_grad_()

    def squared(images: torch.Tensor) -> torch.Tensor:
        return shifted_sum(images, WEIGHTS, dim=dim).square()

    assert torch.autograd.gradcheck(squared, images, fast_mode=True)
    assert torch.autograd.gradgradcheck(squared, images, fast_mode=True)
