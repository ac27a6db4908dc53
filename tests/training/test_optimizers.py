"""The optimizers of other libraries: each trains, and knows its own arguments."""

import sys
from functools import partial

import pytest
import torch
from optimizer_options import OPTIONS, option
from small_training import make
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR

from sr.training.optimizers import adan, lion, muon, prodigy, schedule_free
from sr.training.parameter_groups import NetParameters
from sr.training.psnr import PSNRModule

# Rates for 200 steps from a random start; those of the options are for hundreds of thousands.
RATES = {"lion": 1e-3, "prodigy": 1.0}
# What is left of the first loss; 1 would be a net that has not moved.
LEFT = 0.2


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.PReLU(8), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 3, 3, padding=1)
    )


@pytest.mark.parametrize("name", OPTIONS)
def test_it_trains_a_small_net(name: str) -> None:
    student = net()
    torch.manual_seed(1)
    teacher, image = nn.Conv2d(3, 3, 3, padding=1), torch.rand(4, 3, 12, 12)
    with torch.no_grad():
        target = teacher(image)
    optimizer = option(name, lr=RATES.get(name, 5e-3))(NetParameters(student))
    losses = []
    for _ in range(200):
        optimizer.zero_grad()
        loss = mse_loss(student(image), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(name, losses[-1] / losses[0])
    assert losses[-1] < LEFT * losses[0]
