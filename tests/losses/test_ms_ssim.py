import pytest
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from sr.losses.ms_ssim import FLOOR, WEIGHTS, MSSSIMLoss
from sr.ops.similarity import gaussian_window, luminance_and_contrast

GENERATOR = torch.Generator().manual_seed(0)


def pair(side: int, width: int | None = None, noise: float = 0.1) -> tuple[torch.Tensor, torch.Tensor]:
    hr = torch.rand(2, 3, side, width or side, generator=GENERATOR, dtype=torch.float64)
    noise = noise * torch.randn(hr.shape, generator=GENERATOR, dtype=torch.float64)
    return (hr + noise).clamp(0, 1), hr


def by_torchmetrics(sr: torch.Tensor, hr: torch.Tensor, scales: int) -> float:
    """From SSIM of each scale; its own function for all scales mirrors the border at the last one."""
    settings = {"data_range": 1.0, "sigma": 1.5, "kernel_size": 11, "reduction": "none"}
    product = torch.ones(len(sr), dtype=torch.float64)
    for scale, weight in enumerate(WEIGHTS[:scales], start=1):
        if scale < scales:
            _, factor = structural_similarity_index_measure(
                sr, hr, return_contrast_sensitivity=True, **settings
            )
            sr, hr = (
                image[..., : image.shape[-2] // 2 * 2, : image.shape[-1] // 2 * 2] for image in (sr, hr)
            )
            sr, hr = ((image[..., ::2, :] + image[..., 1::2, :]) / 2 for image in (sr, hr))
            sr, hr = ((image[..., ::2] + image[..., 1::2]) / 2 for image in (sr, hr))
        else:
            _, places = structural_similarity_index_measure(sr, hr, return_full_image=True, **settings)
            factor = places[..., 5:-5, 5:-5].mean(dim=(1, 2, 3))
        product *= factor ** (weight / sum(WEIGHTS[:scales]))
    return product.mean().item()


@pytest.mark.parametrize(("scales", "side"), [(1, 11), (3, 45), (4, 92), (5, 176)])
def test_it_is_one_minus_that_of_torchmetrics(scales: int, side: int) -> None:
    sr, hr = (image[:, : 1 if side > 50 else 3] for image in pair(side, side + 5))  # torchmetrics takes long
    expected = 1 - by_torchmetrics(sr, hr, scales)
    assert MSSSIMLoss(scales=scales)(sr, hr).item() == pytest.approx(expected, abs=1e-11)


def test_the_weights_are_the_published_ones() -> None:
    assert MSSSIMLoss().weights == pytest.approx([0.0448, 0.2856, 0.3001, 0.2363, 0.1333], abs=1e-4)


def test_the_mean_is_of_images_not_of_places() -> None:
    sr, hr = pair(24)
    each = [MSSSIMLoss(scales=2)(sr[i : i + 1], hr[i : i + 1]).item() for i in range(2)]
    assert MSSSIMLoss(scales=2)(sr, hr).item() == pytest.approx(sum(each) / 2, abs=1e-12)


def test_negative_contrast_counts_as_the_floor() -> None:
    _, hr = pair(22)
    contrast = luminance_and_contrast(1 - hr, hr, gaussian_window(size=11, sigma=1.5))[1]
    assert contrast.mean() < 0
    sr = (1 - hr).requires_grad_()
    loss = MSSSIMLoss(scales=2)
    value = loss(sr, hr)
    assert value.item() == pytest.approx(1 - FLOOR, abs=1e-9)  # the weights sum to 1
    value.backward()
    assert torch.equal(sr.grad, torch.zeros_like(hr))


@pytest.mark.parametrize(("side", "way"), [(96, "set scales=4, or"), (10, r"10 x 10; take larger")])
def test_small_images_are_refused_with_a_way_on(side: int, way: str) -> None:
    with pytest.raises(ValueError, match=rf"scales=5 needs .* 176 x 176 .*{way}"):
        MSSSIMLoss()(*pair(side))
    if side == 96:
        MSSSIMLoss(scales=4)(*pair(side))


@pytest.mark.parametrize("scales", [0, 6])
def test_scales_without_weights_are_refused(scales: int) -> None:
    with pytest.raises(ValueError, match=f"scales={scales} must be at least 1 and at most 5"):
        MSSSIMLoss(scales=scales)
