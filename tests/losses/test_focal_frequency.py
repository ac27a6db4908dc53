from itertools import product

import numpy as np
import pytest
import torch

from sr.losses.focal_frequency import FocalFrequencyLoss

RNG = np.random.default_rng(0)
SR, HR = RNG.random((2, 3, 2, 8, 12))
SWITCHES = ("ave_spectrum", "log_matrix", "batch_matrix")


def by_numpy(alpha: float, patch_factor: int, ave_spectrum: bool, log_matrix: bool, batch_matrix: bool):
    """The value and the weights, one patch after the other: eq. 7 to 9 of the paper."""
    height, width = 8 // patch_factor, 12 // patch_factor
    errors = []
    for row, column in product(range(patch_factor), repeat=2):
        part = (..., slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width))
        spectra = [np.fft.fft2(images[part]) / np.sqrt(height * width) for images in (SR, HR)]
        if ave_spectrum:
            spectra = [spectrum.mean(axis=0, keepdims=True) for spectrum in spectra]
        errors.append(np.abs(spectra[0] - spectra[1]))
    error = np.stack(errors)
    weights = np.log(error**alpha + 1) if log_matrix else error**alpha
    for index in np.ndindex(weights.shape[:3]):
        weights[index] /= 1 if batch_matrix else weights[index].max()
    weights /= weights.max() if batch_matrix else 1
    return (weights * error**2).mean(), weights


@pytest.mark.parametrize("switches", [*product([False, True], repeat=3)])
@pytest.mark.parametrize(("alpha", "patch_factor"), [(1.0, 1), (0.5, 2), (2.0, 4)])
def test_it_is_that_of_numpy(alpha: float, patch_factor: int, switches: tuple[bool, ...]) -> None:
    arguments = {"alpha": alpha, "patch_factor": patch_factor} | dict(zip(SWITCHES, switches, strict=True))
    value = FocalFrequencyLoss(**arguments)(torch.from_numpy(SR), torch.from_numpy(HR)).item()
    assert value == pytest.approx(by_numpy(**arguments)[0], rel=1e-12)


def test_alpha_of_zero_is_the_mean_squared_error() -> None:
    value = FocalFrequencyLoss(alpha=0, patch_factor=2)(torch.from_numpy(SR), torch.from_numpy(HR)).item()
    assert value == pytest.approx(((SR - HR) ** 2).mean(), rel=1e-12)


def test_the_weights_are_constants_to_the_gradient() -> None:
    sr = torch.from_numpy(SR).requires_grad_()
    FocalFrequencyLoss()(sr, torch.from_numpy(HR)).backward()
    _, weights = by_numpy(1.0, 1, False, False, False)
    expected = 2 * np.fft.ifft2(weights[0] * np.fft.fft2(SR - HR)).real / SR.size
    np.testing.assert_allclose(sr.grad.numpy(), expected, rtol=1e-9, atol=1e-16)


@pytest.mark.parametrize("switches", [*product([False, True], repeat=3)])
def test_equal_images_are_zero_with_a_gradient_of_zero(switches: tuple[bool, ...]) -> None:
    sr = torch.from_numpy(HR).float().requires_grad_()
    value = FocalFrequencyLoss(**dict(zip(SWITCHES, switches, strict=True)))(sr, sr.detach())
    value.backward()
    assert value == 0
    assert torch.equal(sr.grad, torch.zeros_like(sr))


def test_patches_that_do_not_fill_the_image_are_refused() -> None:
    with pytest.raises(ValueError, match=r"patch_factor=3 must divide .* 8 x 12"):
        FocalFrequencyLoss(patch_factor=3)(torch.from_numpy(SR), torch.from_numpy(HR))


@pytest.mark.parametrize(
    "argument", [{"alpha": -1.0}, {"alpha": float("inf")}, {"alpha": float("nan")}, {"patch_factor": 0}]
)
def test_bad_arguments_are_refused(argument: dict[str, float]) -> None:
    ((name, value),) = argument.items()
    with pytest.raises(ValueError, match=f"{name}={value}"):
        FocalFrequencyLoss(**argument)
