"""TIFFs of measured values through sr-upscale."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from upscaling import network, upscale

from sr.archs.bicubic import upsample_bicubic
from sr.archs.srvgg import SRVGGNetCompact
from sr.ops.normalisation import BandRange
from sr.ops.tensor_digest import sealed
from sr.pictures.picture import Picture
from sr.pictures.reading import read_picture
from sr.upscale.upscaler import Upscaler


def write_net(path: Path, *, channels: int, normalise: dict | None) -> Path:
    """A net as sr-export writes it: it starts at the nearest neighbour, and moves away from it a little."""
    torch.manual_seed(0)
    options = {"scale": 2, "in_channels": channels, "out_channels": channels, "num_feat": 4, "num_conv": 1}
    net = SRVGGNetCompact(**options)  # type: ignore[arg-type]
    sizes = {"scale": 2, "channels": channels} | ({"normalise": normalise} if normalise else {})
    words = {"_target_": "sr.archs.srvgg.SRVGGNetCompact", **options}
    metadata = {"sr_generator": json.dumps(words), "sr_sizes": json.dumps(sizes)}
    path.write_bytes(sealed({k: v.contiguous() for k, v in net.state_dict().items()}, metadata))
    return path


@pytest.mark.parametrize(
    ("dtype", "bands", "nodata", "normalise"),
    [
        ("uint16", 6, 0.0, {"low": 0, "high": 10000}),
        ("uint16", 6, None, None),
        ("float32", 1, None, {"mean": [280.0], "deviation": [10.0]}),
        ("float32", 64, -9999.0, {"low": 200, "high": 320}),
        ("int16", 4, -9999.0, {"low": [-500, 0, 0, 0], "high": [4000, 5000, 6000, 7000]}),
    ],
)
def test_type_bands_and_missing_data_are_kept(
    tmp_path: Path, dtype: str, bands: int, nodata: float | None, normalise: dict | None
) -> None:
    rng = np.random.default_rng(0)
    image = np.asarray((rng.normal(size=(10, 14, bands)) * 10 + 280).astype(dtype))
    lacks = normalise is not None
    missing = np.nan if nodata is None else nodata
    if lacks:
        image[:4, :5] = missing
    tags = [(33550, 12, 3, (10.0, 10.0, 0.0), True)]
    tags += [] if nodata is None else [(42113, 2, 0, f"{nodata:g}", True)]
    stored = image if bands > 1 else image[:, :, 0]
    extra = ["unspecified"] * (bands - 1) or None
    (tmp_path / "in").mkdir()
    tifffile.imwrite(
        tmp_path / "in" / "x.tif",
        stored,
        photometric="minisblack",
        planarconfig="contig" if bands > 1 else None,
        extrasamples=extra,
        extratags=tags,
        metadata=None,
    )
    net = write_net(tmp_path / "net.safetensors", channels=bands, normalise=normalise)
    status = upscale(tmp_path / "in" / "x.tif", "--ckpt", net, "--out", tmp_path / "out", "--format", "same")
    assert status == 0
    found = read_picture(tmp_path / "out" / "x.tif")
    assert (found.colour.dtype, found.colour.shape) == (np.dtype(dtype), (20, 28, bands))
    assert found.nodata == nodata
    empty = np.isnan(found.colour) if nodata is None else found.colour == missing
    expected = np.zeros((20, 28, bands), bool)
    expected[:8, :10] = lacks
    np.testing.assert_array_equal(empty, expected)


def test_without_rasterio_the_place_is_lost_and_that_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sr.geo.scene.has_rasterio", lambda: False)
    net = write_net(tmp_path / "net.safetensors", channels=1, normalise={"low": 0, "high": 100})
    tags = [(33550, 12, 3, (10.0, 10.0, 0.0), True), (34735, 3, 4, (1, 1, 0, 0), True)]
    tags += [(42113, 2, 0, "0", True)]  # type: ignore[list-item]
    tifffile.imwrite(tmp_path / "x.tif", np.full((6, 7), 50, np.uint8), extratags=tags)
    assert upscale(tmp_path / "x.tif", "--ckpt", net, "--out", tmp_path / "out") == 0
    said = capsys.readouterr().err
    assert said.count("its place on Earth (GeoTIFF tags) is lost in the result") == 1
    assert said.count(".png holds no no-data value") == 1


def test_what_the_net_sees_is_normalised_and_undone() -> None:
    """Bicubic commutes with an offset and a factor, so it gives what bicubic gives of the values themselves."""
    rng = np.random.default_rng(0)
    image = rng.normal(280, 10, (9, 11, 2)).astype(np.float32)
    by = BandRange(low=[250, 0], high=[310, 600])
    result = Upscaler(network=network(channels=2), by=by)(Picture(image)).colour
    exact = upsample_bicubic(torch.from_numpy(image).permute(2, 0, 1)[None].double(), scale=2)[0]
    np.testing.assert_allclose(result, exact.permute(1, 2, 0).numpy(), rtol=1e-5)
    signed = (image * 10).astype(np.int16)
    rounded = Upscaler(network=network(channels=2), by=by)(Picture(signed)).colour
    exact = upsample_bicubic(torch.from_numpy(signed).permute(2, 0, 1)[None].double(), scale=2)[0]
    np.testing.assert_allclose(rounded, exact.permute(1, 2, 0).numpy(), atol=0.51)


@pytest.mark.parametrize("scale", [2, 1.5, 0.5])
def test_missing_data_reach_no_neighbour(scale: float) -> None:
    image = np.full((12, 12, 1), 5.0, np.float32)
    image[3:6, 4:9] = np.nan
    by = BandRange(low=0, high=10)
    result = Upscaler(network=network(channels=1), scale=scale, by=by)(Picture(image)).colour
    there = ~np.isnan(result)
    np.testing.assert_allclose(result[there], 5, rtol=1e-5)
    assert 0 < (~there).sum() < there.sum()


def test_pictures_that_the_net_is_not_for_are_refused() -> None:
    signed = Picture(np.zeros((4, 4, 2), np.int16))
    with pytest.raises(ValueError, match="the image holds int16, which has no natural range: train with"):
        Upscaler(network=network(channels=2))(signed)
    by = BandRange(low=[0, 0, 0], high=1)
    with pytest.raises(
        ValueError, match="the normalisation of the net has numbers for 3 bands, where channels=1"
    ):
        Upscaler(network=network(channels=3), by=by)(Picture(np.zeros((4, 4, 1), np.uint8)))
