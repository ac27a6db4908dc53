"""Losses on features of photographs, of images of many bands."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision_nets import write_features

from sr.losses.contextual import ContextualLoss
from sr.losses.dists import DISTSLoss
from sr.losses.lpips import LPIPSLoss
from sr.losses.perceptual import PerceptualLoss
from sr.losses.style import StyleLoss

LAYERS = {"relu2_2": 1.0}
LOSSES: dict[str, Callable[..., nn.Module]] = {
    "perceptual": lambda **options: PerceptualLoss(net="vgg16", layers=LAYERS, **options),
    "style": lambda **options: StyleLoss(net="vgg16", layers=LAYERS, **options),
    "contextual": lambda **options: ContextualLoss(net="vgg16", layers=LAYERS, **options),
    "lpips": lambda **options: LPIPSLoss(net="vgg16", **options),
    "dists": lambda **options: DISTSLoss(**options),
}


@pytest.fixture(scope="module")
def vgg16(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("vgg16") / "vgg16.pth"
    write_features("vgg16", file)
    return str(file)


@pytest.mark.parametrize("name", LOSSES)
def test_the_net_sees_the_chosen_bands(vgg16: str, name: str) -> None:
    plain, chosen = (LOSSES[name](weights=vgg16, bands=bands) for bands in (None, [3, 2, 0]))
    sr, hr = torch.rand(2, 2, 5, 32, 32)
    sr.requires_grad_()
    value = chosen(sr, hr)
    torch.testing.assert_close(value, plain(sr[:, [3, 2, 0]], hr[:, [3, 2, 0]]))
    (gradient,) = torch.autograd.grad(value, sr)
    assert [bool(gradient[:, band].any()) for band in range(5)] == [True, False, True, True, False]


@pytest.mark.parametrize("name", LOSSES)
def test_bands_that_are_missing_are_named_before_training(vgg16: str, name: str) -> None:
    plain, chosen = (LOSSES[name](weights=vgg16, bands=bands) for bands in (None, [3, 2, 0]))
    plain.check_channels(3)
    chosen.check_channels(4)
    with pytest.raises(ValueError, match=rf"channels=4: .*loss\.{name}\.loss\.bands=\[2, 1, 0\] chooses"):
        plain.check_channels(4)
    with pytest.raises(ValueError, match=rf"loss\.{name}\.loss\.bands=\[3, 2, 0\]: images of channels=3"):
        chosen.check_channels(3)
    with pytest.raises(ValueError, match="name three bands"):
        LOSSES[name](weights=vgg16, bands=[0, 1])


def test_a_net_of_your_own_may_see_all_bands(tmp_path: Path) -> None:
    class Mean(nn.Module):
        def forward(self, image: Tensor) -> dict[str, Tensor]:
            return {"mean": image.mean(dim=1, keepdim=True)}

    loss = PerceptualLoss(net=Mean(), layers={"mean": 1.0})
    loss.check_channels(7)
    sr, hr = torch.rand(2, 1, 7, 8, 8)
    torch.testing.assert_close(loss(sr, hr), (sr.mean(1) - hr.mean(1)).abs().mean())
