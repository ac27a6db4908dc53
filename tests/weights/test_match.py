"""What fits, and how the rest is told."""

import torch
from torch import nn

from sr.weights.match import few, fit


def test_every_tensor_is_told_once() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, bias=False))
    weights = {"0.weight": torch.zeros(4, 12, 3, 3), "0.bias": torch.zeros(4), "2.bias": torch.zeros(1)}
    found = fit(net, weights)
    assert found.matched == ("0.bias",)
    assert found.missing == ("1.weight",)
    assert found.surplus == ("2.bias",)
    assert found.reshaped == {"0.weight": "(4, 12, 3, 3), expected (4, 3, 3, 3)"}
    assert not found.complete
    assert str(found) == (
        "missing 1.weight; not known 2.bias; 0.weight is (4, 12, 3, 3), expected (4, 3, 3, 3)"
    )


def test_a_net_fits_itself() -> None:
    net = nn.Conv2d(3, 4, 3)
    found = fit(net, net.state_dict())
    assert found.complete
    assert found.matched == ("weight", "bias")
    assert str(found) == ""


def test_of_many_names_the_first_are_shown() -> None:
    assert few(range(4)) == "0, 1, 2, 3"
    assert few(range(5)) == "0, 1, 2, 3, ..."
    assert few(range(3), most=2, joint="; ") == "0; 1; ..."
