"""LPIPS and DISTS as losses: the mean of the distances, invisible nets, gradients for SR alone."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision_nets import write_features

from sr.features.dists import DISTS
from sr.features.lpips import LPIPS
from sr.losses.dists import DISTSLoss
from sr.losses.lpips import LPIPSLoss

PAIRS: list[tuple[Callable[..., nn.Module], Callable[..., nn.Module]]] = [
    (lambda weights: LPIPSLoss(net="alexnet", weights=weights), LPIPS),
    (lambda weights: DISTSLoss(weights=weights), DISTS),
]


@pytest.mark.parametrize(("loss", "distance"), PAIRS, ids=["lpips", "dists"])
def test_it_is_the_mean_distance_of_a_batch(
    tmp_path: Path, loss: Callable[..., nn.Module], distance: Callable[..., nn.Module]
) -> None:
    file = tmp_path / "net.pth"
    write_features("vgg16" if distance is DISTS else "alexnet", file)
    criterion = loss(weights=str(file))
    sr, hr = torch.rand(2, 2, 3, 64, 64)
    sr.requires_grad_()
    value = criterion(sr, hr)
    torch.testing.assert_close(value, distance(weights=str(file))(sr, hr).mean())
    (gradient,) = torch.autograd.grad(value, sr)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0
    assert not criterion.state_dict()
    assert not [*criterion.parameters()]
    with pytest.raises(ValueError, match="they must be the same"):
        criterion(sr, hr[..., :32])
