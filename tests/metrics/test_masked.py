"""Metrics that count pixels with data alone."""

import numpy as np
import pytest
import torch
from torch import Tensor

from sr.metrics.bands import ERGAS, SpectralAngle
from sr.metrics.protocol import Protocol
from sr.metrics.quantity import LOWER, Quantity, measure
from sr.ops.normalisation import BandRange


def pair(channels: int = 4, side: int = 32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    hr = 0.2 + 0.6 * torch.rand(2, channels, side, side, generator=generator)
    return hr + 0.05 * torch.randn(hr.shape, generator=generator), hr


def protocol(**options: object) -> Protocol:
    measures = {"ergas": ERGAS(scale=4), "sam": SpectralAngle()}
    return Protocol(crop_border=2, spaces=["channels"], measures=measures, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("bits", [8, None])
def test_a_mask_of_everything_changes_nothing(bits: int | None) -> None:
    sr, hr = pair()
    plain = measure(protocol(bits=bits), sr, hr)
    masked = measure(protocol(bits=bits), sr, hr, valid=torch.ones_like(hr, dtype=torch.bool))
    for name, value in plain.items():
        torch.testing.assert_close(masked[name], value, rtol=1e-6, atol=1e-7)


def test_values_are_those_of_the_part_with_data() -> None:
    """The right half has data: each value is that of the right half cut out."""
    sr, hr = pair()
    valid = torch.zeros_like(hr, dtype=torch.bool)
    valid[..., 14:] = True
    found = measure(protocol(bits=None), torch.where(valid, sr, 1e6), hr, valid=valid)
    # Cut so that the border of 2 pixels is that of the whole image on three sides, and falls on no data on the left.
    expected = measure(protocol(bits=None), sr[..., 12:], hr[..., 12:])
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-6, atol=1e-7)


def test_psnr_and_mse_are_of_valid_values_exactly() -> None:
    sr, hr = pair()
    valid = torch.from_numpy(np.random.default_rng(0).random(hr.shape) < 0.5)
    found = Protocol(crop_border=0, spaces=["channels"], bits=None)(sr, hr, valid=valid)
    for number in range(2):
        errors = (sr[number] - hr[number])[valid[number]].double().square().mean()
        assert found["mse"][number] == pytest.approx(float(errors), rel=1e-6)
        assert found["psnr_channels"][number] == pytest.approx(float(-10 * errors.log10()), rel=1e-6)


def test_luma_needs_all_channels() -> None:
    sr, hr = pair(channels=3)
    valid = torch.ones_like(hr, dtype=torch.bool)
    valid[:, 1, :10] = False
    every = valid.clone()
    every[:, :, :10] = False
    metric = Protocol(crop_border=0, spaces=["y"], mse=False)
    torch.testing.assert_close(metric(sr, hr, valid=valid), metric(sr, hr, valid=every))


def test_ergas_and_angles_by_numpy() -> None:
    sr, hr = pair()
    valid = torch.from_numpy(np.random.default_rng(1).random(hr.shape) < 0.7)
    ergas = ERGAS(scale=4)(sr, hr, valid=valid)["ergas"]
    angle = SpectralAngle()(sr, hr, valid=valid)["sam"]
    for number in range(2):
        a, b, mask = (each[number].double().numpy() for each in (sr, hr, valid))
        mask = mask > 0
        ratios = [((a[c] - b[c])[mask[c]] ** 2).mean() / b[c][mask[c]].mean() ** 2 for c in range(a.shape[0])]
        assert float(ergas[number]) == pytest.approx(25 * np.mean(ratios) ** 0.5, rel=1e-5)
        whole = mask.all(axis=0)
        u, v = a[:, whole], b[:, whole]
        cosines = (u * v).sum(0) / np.linalg.norm(u, axis=0) / np.linalg.norm(v, axis=0)
        assert float(angle[number]) == pytest.approx(np.arccos(cosines).mean(), rel=1e-4)


def test_an_image_without_data_has_no_value() -> None:
    sr, hr = pair()
    values = measure(protocol(), sr, hr, valid=torch.zeros_like(hr, dtype=torch.bool))
    assert all(value.isnan().all() for value in values.values())


def test_other_metrics_see_hr_where_there_is_no_data() -> None:
    class MeanError:
        smallest = 1

        def __init__(self) -> None:
            self.quantities = {"error": Quantity(better=LOWER, digits=".3f")}

        def __call__(self, sr: Tensor, hr: Tensor) -> dict[str, Tensor]:
            return {"error": (sr - hr).abs().sum(dim=(1, 2, 3))}

    hr = torch.zeros(1, 1, 2, 2)
    valid = torch.tensor([[[[True, False], [False, False]]]])
    assert measure(MeanError(), torch.ones_like(hr), hr, valid=valid)["error"].item() == 1


def test_measures_in_units_of_the_file_get_them() -> None:
    """An offset changes ERGAS and angles, so they are computed of what the net's values stand for."""
    sr, hr = pair()
    metric = protocol(bits=None)
    plain = metric(100 * sr + 500, 100 * hr + 500)
    metric.by = BandRange(low=500, high=600)
    found = metric(sr, hr)
    for name in ("ergas", "sam"):
        torch.testing.assert_close(found[name], plain[name], rtol=1e-4, atol=1e-6)
    assert not torch.allclose(found["ergas"], protocol(bits=None)(sr, hr)["ergas"], rtol=0.1)
    # What PSNR refers to is said, because it is not the full range of a type.
    assert metric.describe()["range"] == "the values that are 0 and 1, band by band: 500 and 600 of the files"
    assert "range" not in protocol(bits=None).describe()


@pytest.mark.parametrize("bits", [8, 12])
def test_images_are_rounded_to_the_bits_that_are_asked_for(bits: int) -> None:
    sr, _ = pair()
    top = 2**bits - 1
    expected = (sr.double().clamp(0, 1) * top).round() / top
    found = Protocol(crop_border=0, bits=bits).prepare(sr)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert str(bits) in Protocol(crop_border=0, bits=bits).describe()["rounding"]
    with pytest.raises(ValueError, match="metric bits=0 must be 1 to 24, or null"):
        Protocol(crop_border=0, bits=0)
