"""conf/loss and conf/gan_loss build what they say."""

from collections.abc import Callable
from pathlib import Path

import hydra
import pytest
import torch
from helpers import compose_config
from omegaconf import DictConfig, OmegaConf

from sr.losses.colour import ColourLoss
from sr.losses.edge import EdgeLoss
from sr.losses.focal_frequency import FocalFrequencyLoss
from sr.losses.gan import (
    HingeGANLoss,
    LeastSquaresGANLoss,
    RelativisticAverageGANLoss,
    VanillaGANLoss,
    WassersteinGANLoss,
)
from sr.losses.gradient_variance import GradientVarianceLoss
from sr.losses.laplacian import LaplacianPyramidLoss
from sr.losses.ms_ssim import MSSSIMLoss
from sr.losses.ms_ssim_l1 import MSSSIML1Loss
from sr.losses.perceptual import PerceptualLoss
from sr.losses.pixel import CharbonnierLoss, L1Loss, MSELoss
from sr.losses.spectral_angle import SpectralAngleLoss
from sr.losses.total_variation import AnisotropicTotalVariationLoss, TotalVariationLoss
from sr.losses.weighted import WeightedLoss

CONF = Path(__file__).parents[2] / "conf"

WHOLE = {
    "l1": L1Loss,
    "mse": MSELoss,
    "charbonnier": CharbonnierLoss,
    "ms_ssim": MSSSIMLoss,
    "ms_ssim_l1": MSSSIML1Loss,
    "laplacian": LaplacianPyramidLoss,
}
ADDED = {
    "focal_frequency": FocalFrequencyLoss,
    "gradient_variance": GradientVarianceLoss,
    "edge": EdgeLoss,
    "colour": ColourLoss,
    "tv": TotalVariationLoss,
    "spectral_angle": SpectralAngleLoss,
}
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


@pytest.mark.parametrize("name", WHOLE)
def test_losses_that_stand_alone_have_weight_one_and_their_name(name: str) -> None:
    loss = weighted_loss(OmegaConf.load(CONF / "loss" / f"{name}.yaml"))
    assert list(loss.terms) == [name]
    assert loss.terms[name].weight == 1.0
    assert type(loss.terms[name].loss) is WHOLE[name]


@pytest.mark.parametrize("name", ADDED)
def test_losses_for_use_beside_others_have_their_name(name: str) -> None:
    loss = weighted_loss(OmegaConf.load(CONF / "loss" / f"{name}.yaml"))
    assert list(loss.terms) == [name]
    assert 0 < loss.terms[name].weight <= 1
    assert type(loss.terms[name].loss) is ADDED[name]


def test_options_that_are_variants_change_what_they_say() -> None:
    generalised = compose_config("loss=charbonnier_generalised").loss.charbonnier.loss
    assert (generalised.eps, generalised.alpha) == (1e-3, 0.45)
    anisotropic = weighted_loss(compose_config("loss=tv_anisotropic").loss)
    assert type(anisotropic.terms["tv"].loss) is AnisotropicTotalVariationLoss


def test_several_options_are_one_loss_with_the_terms_of_all() -> None:
    names = [*WHOLE, *ADDED]
    loss = weighted_loss(compose_config(f"loss=[{','.join(names)}]", "loss.tv.weight=0.5").loss)
    assert list(loss.terms) == names
    sr, hr = torch.rand(2, 1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    values = loss(sr, hr)
    assert values["tv"].item() == pytest.approx(0.5 * TotalVariationLoss()(sr, hr).item())
    assert all(value.isfinite() and value > 0 for value in values.values())


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
