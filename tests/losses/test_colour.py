import cv2
import numpy as np
import pytest
import torch

from sr.losses.colour import ColourLoss
from sr.ops.oklab import DARKEST, oklab

XYZ_OF_RGB = np.array(  # IEC 61966-2-1
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
LMS_OF_XYZ = np.array(  # Ottosson, 2020
    [
        [0.8189330101, 0.3618667424, -0.1288597137],
        [0.0329845436, 0.9293118715, 0.0361456387],
        [0.0482003018, 0.2643662691, 0.6338517070],
    ]
)
LAB_OF_ROOTS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def by_numpy(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) -> (..., 3) by way of XYZ."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lms = linear @ XYZ_OF_RGB.T @ LMS_OF_XYZ.T
    return np.cbrt(np.maximum(lms, DARKEST)) @ LAB_OF_ROOTS.T


def colour(*rgb: float) -> torch.Tensor:
    return torch.tensor(rgb, dtype=torch.float64).view(1, 3, 1, 1)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1, 1, 1), (1, 0, 0)),
        ((1, 0, 0), (0.62796, 0.22486, 0.12585)),
        ((0, 1, 0), (0.86644, -0.23389, 0.17950)),
        ((0, 0, 1), (0.45201, -0.03246, -0.31153)),
        ((0.5, 0.5, 0.5), (0.59818, 0, 0)),
        ((0, 0, 0), (DARKEST ** (1 / 3), 0, 0)),
    ],
)
def test_oklab_of_known_colours(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    assert oklab(colour(*rgb)).flatten().tolist() == pytest.approx(lab, abs=2e-5)


def test_oklab_is_the_one_by_way_of_xyz() -> None:
    rgb = np.random.default_rng(0).random((1000, 3))
    mine = oklab(torch.from_numpy(rgb).view(-1, 3, 1, 1)).view(-1, 3).numpy()
    np.testing.assert_allclose(
        mine, by_numpy(rgb), rtol=0, atol=1e-3
    )  # the matrices of XYZ have rounded whites


def test_it_is_the_chroma_of_opencvs_pyramid() -> None:
    images = np.random.default_rng(0).random((2, 24, 36, 3))
    small = [cv2.pyrDown(cv2.pyrDown(image)) for image in images]
    sr, hr = (oklab(torch.from_numpy(each).permute(2, 0, 1)[None]) for each in small)
    expected = (sr - hr)[:, 1:].abs().mean().item()
    tensors = torch.from_numpy(images).permute(0, 3, 1, 2)
    assert ColourLoss(levels=2)(tensors[:1], tensors[1:]).item() == pytest.approx(expected, rel=1e-12)


def test_a_flat_red_beside_gray_is_by_hand() -> None:
    red, gray = (colour(*rgb).expand(1, 3, 9, 9) for rgb in ((1, 0, 0), (0.5, 0.5, 0.5)))
    assert ColourLoss()(red, gray).item() == pytest.approx((0.22486 + 0.12585) / 2, abs=2e-5)


def test_detail_and_gray_changes_hardly_count() -> None:
    hr = torch.full((1, 3, 32, 32), 0.5)
    odd = (torch.arange(32)[:, None] + torch.arange(32)) % 2
    checkers = 0.2 * (1 - 2 * odd) * torch.tensor([1.0, -1, 0]).view(3, 1, 1)
    assert ColourLoss()(hr + checkers, hr) < 1e-6
    assert ColourLoss()(hr + 0.2, hr) < 1e-6
    assert ColourLoss()(hr + torch.tensor([0.02, 0, 0]).view(3, 1, 1), hr) > 1e-3


def test_gradients_are_finite_and_small_near_black() -> None:
    for level in (0.0, 1e-8, 1 / 255, 0.02):
        sr = torch.full((1, 3, 9, 9), level).requires_grad_()
        (oklab(sr) * torch.tensor([0.3, 1, 1]).view(3, 1, 1)).sum().backward()
        assert sr.grad.isfinite().all() and sr.grad.abs().max() < 20


@pytest.mark.parametrize(
    ("shape", "words"), [((1, 4, 32, 32), "got 4 channels"), ((1, 3, 8, 32), r"levels=3 needs .* 9 x 9")]
)
def test_images_that_have_no_low_passed_colour_are_refused(shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ColourLoss()(torch.zeros(shape), torch.zeros(shape))


def test_no_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="levels=0"):
        ColourLoss(levels=0)
