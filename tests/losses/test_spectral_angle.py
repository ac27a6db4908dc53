import math

import numpy as np
import pytest
import torch

from sr.losses.spectral_angle import SpectralAngleLoss


def pixel(*bands: float) -> torch.Tensor:
    return torch.tensor(bands, dtype=torch.float64).view(1, -1, 1, 1)


@pytest.mark.parametrize("bands", [2, 3, 31])
def test_it_is_the_arc_cosine_of_numpy(bands: int) -> None:
    sr, hr = np.random.default_rng(0).random((2, 2, bands, 5, 6))
    lengths = np.linalg.norm(sr, axis=1) * np.linalg.norm(hr, axis=1)
    expected = np.arccos((sr * hr).sum(axis=1) / lengths).mean()
    value = SpectralAngleLoss()(torch.from_numpy(sr), torch.from_numpy(hr)).item()
    assert value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("angle", [1e-9, 1e-3, 1.0, math.pi - 1e-6])
def test_small_and_large_angles_keep_their_digits(angle: float) -> None:
    sr = 0.7 * pixel(math.cos(angle), math.sin(angle))
    assert SpectralAngleLoss()(sr, pixel(0.2, 0)).item() == pytest.approx(angle, rel=1e-9)


@pytest.mark.parametrize(
    ("sr", "hr", "angle"),
    [
        ((0, 0), (0, 0), 0.0),
        ((0, 0), (1, 0), math.pi / 2),
        ((0, 1), (0, 0), math.pi / 2),
        ((1, 2), (1, 2), 0.0),
        ((1, 0), (-1, 0), math.pi),
    ],
)
def test_vectors_without_an_angle_of_their_own_have_a_gradient_of_zero(
    sr: tuple[float, ...], hr: tuple[float, ...], angle: float
) -> None:
    image = pixel(*sr).requires_grad_()
    value = SpectralAngleLoss()(image, pixel(*hr))
    value.backward()
    assert value.item() == pytest.approx(angle, abs=1e-15)
    assert image.grad.abs().max() < 1e-12


def test_the_gradient_turns_the_vector_and_leaves_its_length() -> None:
    image = pixel(0.3, 0.4).requires_grad_()
    SpectralAngleLoss()(image, pixel(1, 0)).backward()
    # perpendicular to (0.3, 0.4), away from (1, 0), and of the length 1 / 0.5
    assert image.grad.flatten().tolist() == pytest.approx([-1.6, 1.2])


def test_one_band_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 bands, got 1"):
        SpectralAngleLoss()(*torch.zeros(2, 1, 1, 4, 4))


@pytest.mark.parametrize("eps", [0.0, -1e-3, float("nan"), float("inf")])
def test_an_eps_without_a_meaning_is_refused(eps: float) -> None:
    with pytest.raises(ValueError, match=f"eps={eps}"):
        SpectralAngleLoss(eps=eps)
