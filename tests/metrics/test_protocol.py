"""The numbers of validation and evaluation, against an independent NumPy computation."""

import numpy as np
import pytest
import torch
from helpers import picture
from scipy.ndimage import gaussian_filter

from sr.metrics.mean import set_mean
from sr.metrics.protocol import Protocol
from sr.ops.image import to_float, to_tensor


def pair(channels: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    hr = to_tensor(to_float(picture(48, 40, channels=channels)))[None]
    sr = hr + 0.05 * torch.randn(hr.shape, generator=torch.Generator().manual_seed(1))
    return sr, hr  # sr leaves [0, 1] and lies between the 8-bit levels


def eight_bit(image: torch.Tensor, border: int) -> np.ndarray:
    array = np.round(np.clip(image[0].permute(1, 2, 0).double().numpy(), 0, 1) * 255)
    return array[border:-border, border:-border]


def luma(rgb: np.ndarray) -> np.ndarray:
    return (rgb @ np.array([65.481, 128.553, 24.966]) / 255 + 16)[:, :, None]


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Wang et al. 2004 on one channel of values up to 255, inside the border that the window cannot reach over."""

    def blur(x: np.ndarray) -> np.ndarray:
        return gaussian_filter(x, 1.5, truncate=5 / 1.5)[5:-5, 5:-5]

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float((top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean())


def test_all_metrics_of_a_colour_image() -> None:
    sr, hr = pair()
    values = Protocol(crop_border=4)(sr, hr)
    a, b = eight_bit(sr, 4), eight_bit(hr, 4)
    ya, yb = luma(a), luma(b)
    expected = {
        "psnr_y": 10 * np.log10(255**2 / np.mean((ya - yb) ** 2)),
        "ssim_y": ssim(ya[:, :, 0], yb[:, :, 0]),
        "psnr_rgb": 10 * np.log10(255**2 / np.mean((a - b) ** 2)),
        "ssim_rgb": np.mean([ssim(a[:, :, c], b[:, :, c]) for c in range(3)]),
        "mse": np.mean((a / 255 - b / 255) ** 2),
    }
    assert list(values) == list(expected) == list(Protocol(crop_border=4).quantities)
    for name, value in expected.items():
        assert values[name].item() == pytest.approx(value, rel=2e-7), name


def test_luma_rounded_as_matlab_does() -> None:
    sr, hr = pair()
    values = Protocol(crop_border=4, spaces=["y"], round_luma=True, mse=False)(sr, hr)
    ya, yb = (np.round(luma(eight_bit(image, 4))) for image in (sr, hr))
    assert list(values) == ["psnr_y", "ssim_y"]
    assert values["psnr_y"].item() == pytest.approx(10 * np.log10(255**2 / np.mean((ya - yb) ** 2)), rel=2e-5)
    assert values["ssim_y"].item() == pytest.approx(ssim(ya[:, :, 0], yb[:, :, 0]), rel=2e-7)
    exact = Protocol(crop_border=4, spaces=["y"], mse=False)(sr, hr)
    assert exact["psnr_y"].item() != values["psnr_y"].item()
    assert "rounded to 8 bits" in Protocol(crop_border=4, round_luma=True).describe()["luma"]
    assert "unrounded" in Protocol(crop_border=4).describe()["luma"]
    assert "luma" not in Protocol(crop_border=4, spaces=["rgb"]).describe()


def test_a_batch_gives_the_values_of_its_images() -> None:
    sr, hr = pair()
    other = hr.flip(-1)
    protocol = Protocol(crop_border=2)
    both = protocol(torch.cat([sr, other]), torch.cat([hr, hr]))
    for name, values in both.items():
        assert values.tolist() == [protocol(sr, hr)[name].item(), protocol(other, hr)[name].item()], name


def test_errors_under_half_a_level_do_not_count() -> None:
    _, hr = pair()
    values = Protocol(crop_border=0)(hr + 0.4 / 255, hr)
    assert values["mse"].item() == 0
    assert values["ssim_y"].item() == 1
    assert values["psnr_rgb"].item() == float("inf")


def test_mixed_precision_around_it_changes_nothing() -> None:
    sr, hr = pair()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = Protocol(crop_border=4)(sr, hr)
    assert {k: v.item() for k, v in mixed.items()} == {
        k: v.item() for k, v in Protocol(crop_border=4)(sr, hr).items()
    }


def test_the_border_does_not_count() -> None:
    _, hr = pair()
    sr = hr.clone()
    sr[..., :4, :] = 0
    sr[..., -4:] = 1
    assert Protocol(crop_border=4)(sr, hr)["mse"].item() == 0
    assert Protocol(crop_border=3)(sr, hr)["mse"].item() > 0


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_other_channel_counts_are_taken_together_or_refused(channels: int) -> None:
    sr, hr = pair(channels)
    values = Protocol(crop_border=4, spaces=["channels"])(sr, hr)
    a, b = eight_bit(sr, 4), eight_bit(hr, 4)
    assert values["psnr_channels"].item() == pytest.approx(
        10 * np.log10(255**2 / np.mean((a - b) ** 2)), rel=1e-5
    )
    with pytest.raises(ValueError, match=f"needs RGB images, got {channels} channels"):
        Protocol(crop_border=4)(sr, hr)


def test_mistakes_are_named() -> None:
    sr, hr = pair()
    with pytest.raises(ValueError, match=r"spaces=\['lab'\]: choose one or more of y, rgb, channels"):
        Protocol(crop_border=4, spaces=["lab"])
    with pytest.raises(ValueError, match="crop_border=-1"):
        Protocol(crop_border=-1)
    with pytest.raises(ValueError, match="cannot be compared"):
        Protocol(crop_border=4)(sr[..., 1:], hr)
    with pytest.raises(ValueError, match="40 x 48 pixels is too small for crop_border=15"):
        Protocol(crop_border=15)(sr, hr)


def test_set_mean_does_not_depend_on_the_order() -> None:
    rows = torch.rand(1000, 3, generator=torch.Generator().manual_seed(0)) * 40
    assert set_mean(rows).tolist() == set_mean(rows.flip(0)).tolist()
    assert set_mean(rows).dtype == torch.float32
