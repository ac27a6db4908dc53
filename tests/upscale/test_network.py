"""The precision of a net, and its mean over the eight symmetries."""

import math

import numpy as np
import pytest
import torch
from helpers import picture as smooth
from torch import Tensor, nn
from upscaling import network

from sr.archs.srvgg import SRVGGNetCompact
from sr.pictures.picture import Picture
from sr.upscale.network import NotFiniteError, all_finite
from sr.upscale.upscaler import Upscaler


class Overflowing(nn.Module):
    """Doubles an image; not finite in bf16, or always."""

    def __init__(self, *, always: bool) -> None:
        super().__init__()
        self.always = always

    def forward(self, lr: Tensor) -> Tensor:
        enlarged = nn.functional.interpolate(lr, scale_factor=2, mode="nearest")
        return enlarged / 0 if self.always or torch.is_autocast_enabled("cpu") else enlarged


def test_not_finite_in_bf16_is_computed_again_in_fp32_and_said_once() -> None:
    said: list[str] = []
    net = network(Overflowing(always=False), precision="bf16", report=said.append)
    image = smooth(70, 60)
    result = Upscaler(network=net, tile=16)(Picture(image)).colour
    np.testing.assert_array_equal(result, image.repeat(2, 0).repeat(2, 1))
    assert said == ["torch, bf16 gave values that are not finite: such tiles are computed again in fp32"]


def test_not_finite_in_fp32_is_an_error() -> None:
    with pytest.raises(NotFiniteError, match="even in fp32"):
        Upscaler(network=network(Overflowing(always=True)))(Picture(smooth(20, 20)))


def test_bf16_comes_close_to_fp32() -> None:
    net = SRVGGNetCompact(scale=2, num_feat=8, num_conv=2).eval()
    image = Picture(smooth(30, 30))
    exact, rough = (
        Upscaler(network=network(net, precision=precision))(image).colour.astype(int)
        for precision in ("fp32", "bf16")
    )
    assert 0 < np.abs(exact - rough).max() <= 2


def test_self_ensemble_is_the_mean_over_the_eight_symmetries() -> None:
    """Its result turns with the image, and equals the mean that is written out here."""
    net = SRVGGNetCompact(scale=2, num_feat=8, num_conv=2).eval()
    with torch.no_grad():
        net.body[-1].weight.mul_(50)  # type: ignore[operator, union-attr]
    lr = torch.rand(1, 3, 9, 12)
    with torch.no_grad():
        by_hand = [
            axes(net(axes(lr)))
            for axes in (
                lambda x: x,
                lambda x: x.flip(2),
                lambda x: x.flip(3),
                lambda x: x.flip(2, 3),
                lambda x: x.mT,
                lambda x: x.mT.flip(2, 3),
            )
        ]
        by_hand += [net(lr.mT.flip(2)).flip(2).mT, net(lr.mT.flip(3)).flip(3).mT]
    ensemble = network(net, self_ensemble=True)
    torch.testing.assert_close(ensemble(lr), torch.stack(by_hand).mean(0))
    torch.testing.assert_close(ensemble(lr.mT.flip(2)), ensemble(lr).mT.flip(2))
    assert (ensemble(lr) - by_hand[0]).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("values", "finite"),
    [
        ([0.0, 1.0], True),
        ([3e38, 3e38], True),  # whose sum is infinite
        ([1.0, math.nan], False),
        ([1.0, math.inf], False),
        ([math.inf, -math.inf], False),
    ],
)
def test_values_are_finite_although_their_sum_may_overflow(values: list[float], finite: bool) -> None:
    assert all_finite(torch.tensor(values)) is finite
