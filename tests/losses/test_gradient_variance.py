import numpy as np
import pytest
import torch
from scipy.ndimage import sobel

from sr.losses.gradient_variance import GradientVarianceLoss

RNG = np.random.default_rng(0)


def by_scipy(sr: np.ndarray, hr: np.ndarray, gray: np.ndarray, *, side: int) -> float:
    total = 0.0
    for axis in (1, 2):
        errors = []
        derivatives = [
            np.stack(
                [sobel(image, axis=axis - 1, mode="nearest") for image in np.tensordot(each, gray, (1, 0))]
            )
            for each in (sr, hr)
        ]
        for row in range(0, sr.shape[2] - side + 1, side):
            for column in range(0, sr.shape[3] - side + 1, side):
                parts = [each[:, row : row + side, column : column + side] for each in derivatives]
                variances = [part.var(axis=(1, 2), ddof=1) for part in parts]
                errors.append((variances[0] - variances[1]) ** 2)
        total += np.mean(errors)
    return total


@pytest.mark.parametrize(
    ("channels", "gray"), [(3, [0.2989, 0.5870, 0.1140]), (1, [1.0]), (4, [0.25, 0.25, 0.25, 0.25])]
)
def test_it_is_that_of_scipy_and_leaves_out_incomplete_patches(channels: int, gray: list[float]) -> None:
    sr, hr = RNG.random((2, 2, channels, 17, 22))
    value = GradientVarianceLoss(patch_size=5)(torch.from_numpy(sr), torch.from_numpy(hr)).item()
    assert value == pytest.approx(by_scipy(sr, hr, np.array(gray), side=5), rel=1e-11)


def test_a_ramp_has_no_variance_and_a_brighter_image_the_same() -> None:
    ramp = torch.linspace(0, 1, 10, dtype=torch.float64).expand(1, 3, 10, 10)
    flat = torch.zeros_like(ramp)
    inner = GradientVarianceLoss(patch_size=8)(ramp[..., 1:-1, :8], flat[..., 1:-1, :8]).item()
    assert inner > 0  # the repeated border halves the slope of the ramp there
    value = GradientVarianceLoss()(0.5 * ramp + 0.25, 0.5 * ramp)
    assert value.item() == pytest.approx(0, abs=1e-20)


def test_images_smaller_than_a_patch_are_refused() -> None:
    with pytest.raises(ValueError, match=r"7 x 20 pixels are smaller than patch_size=8"):
        GradientVarianceLoss()(*torch.zeros(2, 1, 3, 7, 20))


def test_a_patch_of_one_pixel_is_refused() -> None:
    with pytest.raises(ValueError, match="patch_size=1"):
        GradientVarianceLoss(patch_size=1)
