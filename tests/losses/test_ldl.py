"""The loss on the map of artifacts, against the formula in numpy."""

from functools import partial

import numpy as np
import pytest
import torch
from helpers import compose_config
from hydra.utils import instantiate
from numpy.lib.stride_tricks import sliding_window_view
from omegaconf import OmegaConf
from torch import Tensor

from sr.losses.ldl import LDLLoss
from sr.losses.weighted import WeightedLoss


def images(*shape: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """sr, hr and the image of the averaged generator."""
    return [*torch.rand(3, *shape, generator=torch.Generator().manual_seed(0), dtype=dtype)]


def by_numpy(sr: Tensor, hr: Tensor, average: Tensor, *, side: int) -> float:
    sr, hr, average = (image.double().numpy() for image in (sr, hr, average))
    residual, of_average = np.abs(sr - hr).sum(1), np.abs(average - hr).sum(1)
    far = side // 2
    mirrored = np.pad(residual, ((0, 0), (far, far), (far, far)), mode="reflect")
    local = sliding_window_view(mirrored, (side, side), axis=(1, 2)).var(axis=(-2, -1), ddof=1)
    whole = residual.reshape(len(residual), -1).var(axis=1, ddof=1) ** 0.2
    weight = np.where(residual < of_average, 0, whole[:, None, None] * local)
    return float(np.abs(weight[:, None] * (sr - hr)).mean())


@pytest.mark.parametrize("side", [3, 7])
@pytest.mark.parametrize("shape", [(2, 3, 9, 14), (1, 1, 4, 4), (3, 4, 16, 5)])
def test_it_is_the_formula(shape: tuple[int, ...], side: int) -> None:
    sr, hr, average = images(*shape)
    value = LDLLoss(window_size=side)(sr, hr, average=average)
    assert value.item() == pytest.approx(by_numpy(sr, hr, average, side=side), rel=1e-12)


def test_in_float32_flat_areas_keep_their_digits() -> None:
    """A variance as a difference of squares would lose them: residuals near 1 that differ by a thousandth."""
    sr, hr, _ = images(1, 3, 24, 24)
    sr = 1 - 1e-3 * sr
    value = LDLLoss()(sr.float(), 0 * hr.float(), average=sr.float())
    assert value.item() == pytest.approx(by_numpy(sr.float(), 0 * hr, sr.float(), side=7), rel=1e-4)


def test_the_gradient_is_that_of_the_value() -> None:
    sr, hr, average = images(2, 3, 9, 8)
    sr.requires_grad_()
    assert torch.autograd.gradcheck(lambda image: LDLLoss()(image, hr, average=average), (sr,))


def test_pixels_whose_average_is_further_away_do_not_count() -> None:
    sr, hr, _ = images(1, 3, 16, 16)
    further, nearer = hr + 2 * (sr - hr), hr + 0.5 * (sr - hr)
    loss = LDLLoss()
    assert loss(sr, hr, average=further).item() == 0
    whole = loss(sr, hr, average=nearer)
    assert whole.item() > 0
    assert torch.equal(whole, loss(sr, hr, average=sr))  # as before the average has moved
    half = torch.where(torch.arange(16) < 8, further, nearer)
    assert 0 < loss(sr, hr, average=half) < whole


def test_a_shift_of_all_pixels_is_no_artifact() -> None:
    hr = 0.5 * images(1, 3, 16, 16)[1]
    sr = (hr + 0.25).requires_grad_()
    value = LDLLoss()(sr, hr, average=hr)
    value.backward()
    assert value.item() < 1e-12
    assert sr.grad.isfinite().all()


@pytest.mark.parametrize("extreme", ["equal", "black", "white", "beyond"])
def test_gradients_of_extreme_images_are_finite(extreme: str) -> None:
    _, hr, average = images(1, 3, 24, 24, dtype=torch.float32)
    sr = {"equal": hr.clone(), "black": 0 * hr, "white": 0 * hr + 1, "beyond": 3 * hr - 1}[extreme]
    sr.requires_grad_()
    value = LDLLoss()(sr, hr, average=average)
    value.backward()
    assert value.isfinite() and sr.grad.isfinite().all()
    if extreme == "equal":
        assert value.item() == 0
        assert not sr.grad.any()


def test_no_gradient_flows_to_the_average() -> None:
    sr, hr, average = images(1, 3, 8, 8)
    assert not LDLLoss()(sr, hr, average=average.requires_grad_()).requires_grad


def test_half_precision_is_computed_in_float32_in_autocast_too() -> None:
    sr, hr, average = (image.to(torch.bfloat16) for image in images(1, 3, 16, 16))
    with torch.autocast("cpu", torch.bfloat16):
        half = LDLLoss()(sr, hr, average=average)
    assert half.dtype == torch.float32
    assert torch.equal(half, LDLLoss()(sr.float(), hr.float(), average=average.float()))


def test_the_memory_format_does_not_matter() -> None:
    plain = images(2, 3, 12, 12)
    other = [image.contiguous(memory_format=torch.channels_last) for image in plain]
    values = [LDLLoss()(sr, hr, average=average).item() for sr, hr, average in (plain, other)]
    assert values[0] == pytest.approx(values[1], rel=1e-12)


@pytest.mark.parametrize("size", [1, 2, 6])
def test_a_window_needs_a_middle(size: int) -> None:
    with pytest.raises(ValueError, match=f"window_size={size} must be odd and at least 3"):
        LDLLoss(window_size=size)


def test_images_must_fit() -> None:
    call = partial(torch.zeros, 1, 3, 8)
    with pytest.raises(ValueError, match="images of 8 x 3 pixels are too small for window_size=7"):
        LDLLoss()(call(3), call(3), average=call(3))
    for sr, average in ((call(9), call(8)), (call(8), call(9))):
        with pytest.raises(ValueError, match="they must be the same"):
            LDLLoss()(sr, call(8), average=average)


def test_the_option_stands_beside_a_recipe() -> None:
    terms = compose_config("loss=[esrgan,ldl]").loss
    assert list(terms) == ["l1", "perceptual", "ldl"]
    made = instantiate(OmegaConf.to_container(terms.ldl))
    loss = WeightedLoss(terms={"ldl": made})
    assert loss.wants == {"average"}
    sr, hr, average = images(1, 3, 12, 12)
    expected = by_numpy(sr, hr, average, side=7)
    assert loss(sr, hr, average=average)["ldl"].item() == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="the term of LDLLoss needs average="):
        loss(sr, hr)
