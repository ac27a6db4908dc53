"""The contextual loss against loops, as its equations are written."""

from math import exp, log

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sr.losses.contextual import ContextualLoss, contextual_similarity


class Identity(nn.Module):
    """A net of a user's own: the pixels are the features."""

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"pixels": image}


def reference(own: np.ndarray, wanted: np.ndarray, *, bandwidth: float) -> float:
    """CX of (C, positions) features: eq. 1 to 4."""
    centre = wanted.mean(axis=1, keepdims=True)
    x, y = own - centre, wanted - centre
    count = x.shape[1]
    distance = [
        [1 - x[:, i] @ y[:, j] / np.linalg.norm(x[:, i]) / np.linalg.norm(y[:, j]) for j in range(count)]
        for i in range(count)
    ]
    affinity = []
    for row in distance:
        relative = [value / (min(row) + 1e-5) for value in row]
        weights = [exp((1 - value) / bandwidth) for value in relative]
        affinity.append([weight / sum(weights) for weight in weights])
    return float(np.mean([max(affinity[i][j] for i in range(count)) for j in range(count)]))


@pytest.mark.parametrize("bandwidth", [0.5, 0.1])
def test_against_loops(bandwidth: float) -> None:
    own, wanted = torch.rand(2, 1, 4, 3, 2, dtype=torch.float64)
    found = contextual_similarity(own, wanted, bandwidth=bandwidth).item()
    expected = reference(*(each[0].flatten(1).numpy() for each in (own, wanted)), bandwidth=bandwidth)
    assert found == pytest.approx(expected, rel=1e-9)
    loss = ContextualLoss(layers={"pixels": 2.0}, bandwidth=bandwidth, net=Identity())
    assert loss(own, wanted).item() == pytest.approx(-2 * log(expected), rel=1e-9)


def test_the_order_of_pixels_does_not_matter() -> None:
    image = torch.rand(1, 3, 4, 4)
    shuffled = image.flatten(2)[..., torch.randperm(16)].unflatten(2, (4, 4))
    loss = ContextualLoss(layers={"pixels": 1.0}, net=Identity())
    assert loss(shuffled, image).item() == pytest.approx(loss(image, image).item(), abs=1e-5)
    assert loss(torch.rand(1, 3, 4, 4), image) > loss(image, image) + 0.05


def test_gradients() -> None:
    loss = ContextualLoss(layers={"pixels": 1.0}, net=Identity())
    sr, hr = torch.rand(2, 2, 3, 3, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(loss, (sr.requires_grad_(), hr))
    half = loss(sr.detach().bfloat16(), hr.bfloat16())
    assert half.dtype == torch.float32
    with pytest.raises(ValueError, match="bandwidth=0 must be finite and greater than 0"):
        ContextualLoss(bandwidth=0)
