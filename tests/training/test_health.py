"""Numbers against cases that are known."""

import copy

import pytest
import torch
from torch import nn

from sr.training.health import accuracy, colour_drift, distance


def test_accuracy_is_the_share_of_real_above_generated() -> None:
    real, fake = torch.tensor([1.0, 2.0, -3.0, 0.0]), torch.tensor([0.0, 5.0, -4.0, -1.0])
    assert accuracy(real=real, fake=fake).item() == 0.75
    assert accuracy(real=real + 7, fake=fake + 7).item() == 0.75  # relativistic logits have no zero


def test_colour_drift_is_in_levels_and_blind_to_detail() -> None:
    hr = torch.rand(2, 3, 64, 64)
    assert colour_drift(sr=hr + 3 / 255, hr=hr).item() == pytest.approx(3, rel=1e-4)
    stripes = torch.tensor([0.2, -0.2]).repeat(32)
    assert colour_drift(sr=hr + stripes, hr=hr).item() == pytest.approx(0, abs=1e-3)
    small = torch.rand(1, 3, 8, 8)
    assert colour_drift(sr=small + 1 / 255, hr=small).item() == pytest.approx(1, rel=1e-4)


def test_distance_is_relative() -> None:
    average = nn.Linear(3, 3)
    net = copy.deepcopy(average)
    assert distance(net, average).item() == 0
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(1.25)
    assert distance(net, average).item() == pytest.approx(0.25)
