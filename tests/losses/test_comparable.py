"""What all content losses of two images promise; what each of them computes is in a file of its own."""

import pytest
import torch
from torch import Tensor, nn

from sr.losses.colour import ColourLoss
from sr.losses.edge import EdgeLoss
from sr.losses.focal_frequency import FocalFrequencyLoss
from sr.losses.gradient_variance import GradientVarianceLoss
from sr.losses.laplacian import LaplacianPyramidLoss
from sr.losses.ms_ssim import MSSSIMLoss
from sr.losses.ms_ssim_l1 import MSSSIML1Loss
from sr.losses.pixel import CharbonnierLoss
from sr.losses.spectral_angle import SpectralAngleLoss
from sr.losses.total_variation import AnisotropicTotalVariationLoss, TotalVariationLoss

LOSSES = {
    "charbonnier": CharbonnierLoss(alpha=0.45),
    "ms_ssim": MSSSIMLoss(scales=2),
    "ms_ssim_l1": MSSSIML1Loss(sigmas=(0.5, 1.0)),
    "focal_frequency": FocalFrequencyLoss(alpha=0),  # others: test_focal_frequency.py
    "gradient_variance": GradientVarianceLoss(patch_size=8),
    "edge": EdgeLoss(),
    "laplacian": LaplacianPyramidLoss(levels=2),
    "colour": ColourLoss(levels=2),
    "spectral_angle": SpectralAngleLoss(),
    "tv": TotalVariationLoss(),
    "tv_anisotropic": AnisotropicTotalVariationLoss(),
}
OF_TWO = [name for name in LOSSES if not name.startswith("tv")]
OF_EQUAL = {"charbonnier": 1e-6**0.45}


def images(*shape: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    sr, hr = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0), dtype=dtype)
    return sr, hr


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_is_that_of_the_value(name: str) -> None:
    sr, hr = images(1, 3, 22, 23, dtype=torch.float64)
    sr.requires_grad_()
    assert torch.autograd.gradcheck(LOSSES[name], (sr, hr), fast_mode=True)


@pytest.mark.parametrize("name", OF_TWO)
def test_equal_images_have_the_least_value_and_a_gradient_of_zero(name: str) -> None:
    hr = images(2, 3, 24, 24)[1]
    hr[0, :, :8] = 0  # black, and flat
    sr = hr.clone().requires_grad_()
    value = LOSSES[name](sr, hr)
    value.backward()
    assert value.shape == ()
    assert value.item() == pytest.approx(OF_EQUAL.get(name, 0), abs=1e-6)
    assert sr.grad.abs().max() < 1e-6


@pytest.mark.parametrize("extreme", ["black", "white", "beyond", "negative"])
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_extreme_images_are_finite(name: str, extreme: str) -> None:
    hr = images(1, 3, 24, 24)[1]
    sr = {"black": 0 * hr, "white": 0 * hr + 1, "beyond": 3 * hr - 1, "negative": 1 - hr}[extreme]
    sr.requires_grad_()
    value = LOSSES[name](sr, hr)
    value.backward()
    assert value.isfinite() and sr.grad.isfinite().all()


@pytest.mark.parametrize("name", LOSSES)
def test_half_precision_is_computed_in_float32_in_autocast_too(name: str) -> None:
    sr, hr = (image.to(torch.bfloat16) for image in images(2, 3, 24, 24))
    with torch.autocast("cpu", torch.bfloat16):
        half = LOSSES[name](sr, hr)
    assert half.dtype == torch.float32
    assert torch.equal(half, LOSSES[name](sr.float(), hr.float()))


@pytest.mark.parametrize("name", OF_TWO)
def test_shapes_that_would_broadcast_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"\(2, 3, 24, 24\).*\(1, 3, 24, 24\)"):
        LOSSES[name](torch.zeros(2, 3, 24, 24), torch.zeros(1, 3, 24, 24))


@pytest.mark.parametrize("name", LOSSES)
def test_the_memory_format_does_not_matter(name: str) -> None:
    sr, hr = images(2, 3, 24, 24, dtype=torch.float64)
    other = [image.contiguous(memory_format=torch.channels_last) for image in (sr, hr)]
    assert LOSSES[name](*other).item() == pytest.approx(LOSSES[name](sr, hr).item(), rel=1e-12)


def test_all_losses_are_modules_without_weights() -> None:
    assert not nn.ModuleDict(LOSSES).state_dict()
