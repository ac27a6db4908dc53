import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from sr.losses.laplacian import LaplacianPyramidLoss
from sr.ops.pyramid import expanded, laplacian_pyramid, reduced

TAPS = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


def scipy_pyramid(image: np.ndarray, levels: int) -> list[np.ndarray]:
    bands = []
    for _ in range(levels):
        coarse = correlate(image, TAPS, mode="mirror")[::2, ::2]
        spread = np.zeros_like(image)
        spread[::2, ::2] = coarse
        bands.append(image - 4 * correlate(spread, TAPS, mode="mirror"))
        image = coarse
    return [*bands, image]


@pytest.mark.parametrize(("height", "width", "levels"), [(24, 32, 3), (17, 22, 4), (3, 3, 1)])
def test_it_is_that_of_scipy(height: int, width: int, levels: int) -> None:
    sr, hr = np.random.default_rng(0).random((2, 2, 3, height, width))
    pairs = zip(sr.reshape(-1, height, width), hr.reshape(-1, height, width), strict=True)
    bands = [[scipy_pyramid(image, levels) for image in pair] for pair in pairs]
    expected = sum(
        np.mean([np.abs(mine[level] - wanted[level]) for mine, wanted in bands])
        for level in range(levels + 1)
    )
    value = LaplacianPyramidLoss(levels=levels)(torch.from_numpy(sr), torch.from_numpy(hr)).item()
    assert value == pytest.approx(expected, rel=1e-12)


def test_a_constant_error_is_in_the_last_level_alone() -> None:
    hr = torch.rand(1, 3, 40, 33, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert LaplacianPyramidLoss(levels=4)(hr + 0.1, hr).item() == pytest.approx(0.1, abs=1e-12)


def test_the_pyramid_adds_up_to_the_image() -> None:
    image = torch.rand(1, 2, 21, 34, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    *bands, total = laplacian_pyramid(image, levels=3)
    for band in reversed(bands):
        total = band + expanded(total, height=band.shape[-2], width=band.shape[-1])
    torch.testing.assert_close(total, image, rtol=0, atol=1e-14)


def test_a_reduction_is_opencvs() -> None:
    image = np.random.default_rng(0).random((21, 34))
    mine = reduced(torch.from_numpy(image)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(mine, cv2.pyrDown(image), rtol=0, atol=1e-14)


def test_small_images_are_refused_with_a_way_on() -> None:
    LaplacianPyramidLoss()(*torch.zeros(2, 1, 3, 33, 33))
    with pytest.raises(ValueError, match=r"levels=5 needs .* 33 x 33 .* 32 x 40; set fewer levels"):
        LaplacianPyramidLoss()(*torch.zeros(2, 1, 3, 32, 40))


def test_no_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="levels=0"):
        LaplacianPyramidLoss(levels=0)
