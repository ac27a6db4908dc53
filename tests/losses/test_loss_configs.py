"""conf/loss and conf/gan_loss build what they say."""

from collections.abc import Callable
from pathlib import Path

import hydra
import pytest
import torch
from omegaconf import DictConfig, OmegaConf

from sr.losses.gan import (
    HingeGANLoss,
    LeastSquaresGANLoss,
    RelativisticAverageGANLoss,
    VanillaGANLoss,
    WassersteinGANLoss,
)
from sr.losses.perceptual import PerceptualLoss
from sr.losses.pixel import CharbonnierLoss, L1Loss, MSELoss
from sr.losses.weighted import WeightedLoss

CONF = Path(__file__).parents[2] / "conf"

PIXEL = {"l1": L1Loss, "mse": MSELoss, "charbonnier": CharbonnierLoss}
GAN = {
    "vanilla": VanillaGANLoss,
    "least_squares": LeastSquaresGANLoss,
    "hinge": HingeGANLoss,
    "wasserstein": WassersteinGANLoss,
}
RELATIVISTIC = {
    "relativistic": VanillaGANLoss,
    "relativistic_least_squares": LeastSquaresGANLoss,
    "relativistic_hinge": HingeGANLoss,
}


def weighted_loss(terms: DictConfig) -> WeightedLoss:
    """As a model's YAML does: the group node is the mapping of terms."""
    config = OmegaConf.create({"loss": terms, "model": {"_target_": "sr.losses.weighted.WeightedLoss"}})
    config.model.terms = "${loss}"
    return hydra.utils.instantiate(config.model)


@pytest.mark.parametrize("name", PIXEL)
def test_pixel_losses_have_weight_one_and_their_name(name: str) -> None:
    loss = weighted_loss(OmegaConf.load(CONF / "loss" / f"{name}.yaml"))
    assert list(loss.terms) == [name]
    assert loss.terms[name].weight == 1.0
    assert type(loss.terms[name].loss) is PIXEL[name]


def test_esrgan_is_the_papers(vgg_file: Callable[..., Path]) -> None:
    terms = OmegaConf.load(CONF / "loss" / "esrgan.yaml")
    terms.perceptual.loss.weights = str(vgg_file(16))
    loss = weighted_loss(terms)
    assert {name: term.weight for name, term in loss.terms.items()} == {"l1": 1e-2, "perceptual": 1.0}
    assert type(loss.terms["l1"].loss) is L1Loss
    perceptual = loss.terms["perceptual"].loss
    assert type(perceptual) is PerceptualLoss
    assert perceptual.layers == {"conv5_4": 1.0}
    assert type(perceptual.distance) is L1Loss
    sr, hr = torch.rand(2, 1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    values = loss(sr, hr)
    assert values["l1"].item() == pytest.approx(1e-2 * (sr - hr).abs().mean().item())
    assert values["perceptual"].item() == pytest.approx(perceptual(sr, hr).item())


def test_esrgan_trains_without_the_perceptual_term() -> None:
    terms = OmegaConf.load(CONF / "loss" / "esrgan.yaml")
    del terms["perceptual"]  # what the override '~loss.perceptual' does
    assert list(weighted_loss(terms).terms) == ["l1"]


@pytest.mark.parametrize("name", GAN)
def test_gan_losses(name: str) -> None:
    loss = hydra.utils.instantiate(OmegaConf.load(CONF / "gan_loss" / f"{name}.yaml"))
    assert type(loss) is GAN[name]


@pytest.mark.parametrize("name", RELATIVISTIC)
def test_relativistic_gan_losses(name: str) -> None:
    loss = hydra.utils.instantiate(OmegaConf.load(CONF / "gan_loss" / f"{name}.yaml"))
    assert type(loss) is RelativisticAverageGANLoss
    assert type(loss.base) is RELATIVISTIC[name]


def test_relativistic_least_squares_has_symmetric_targets() -> None:
    loss = hydra.utils.instantiate(OmegaConf.load(CONF / "gan_loss" / "relativistic_least_squares.yaml"))
    assert (loss.base.real_target, loss.base.fake_target) == (1.0, -1.0)
