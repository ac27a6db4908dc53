"""sr-align on scenes: HR is moved, and still lies where it lay on Earth."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shifted_pairs import pair

from sr.commands.align import parse
from sr.geo.scene import Raster, created, opened
from sr.programs.align import run

rasterio = pytest.importorskip("rasterio")


def write_scene(
    path: Path, values: np.ndarray, *, pixel: float, crs: str | None = "EPSG:32632", **profile: Any
) -> Path:
    """(H, W, bands) with its upper left corner at 500000, 5400000."""
    path.parent.mkdir(exist_ok=True)
    place = {"transform": rasterio.Affine(pixel, 0, 500000, 0, -pixel, 5400000)} if crs else {}
    shape = {
        "count": values.shape[2],
        "height": values.shape[0],
        "width": values.shape[1],
        "dtype": values.dtype,
    }
    with rasterio.open(path, "w", driver="GTiff", crs=crs, **shape, **{**place, **profile}) as new:
        new.write(values.transpose(2, 0, 1))
    return path


def write_pair(folder: Path, down: float, right: float, **profile: Any) -> tuple[np.ndarray, np.ndarray]:
    hr, lr = (each.astype(np.uint16) * 12 + 1 for each in pair(down, right, channels=4))
    write_scene(folder / "hr" / "a.tif", hr, pixel=2.5, **profile)
    write_scene(folder / "lr" / "a.tif", lr, pixel=10.0, **profile)
    return hr, lr


def align(folder: Path, *options: object) -> int:
    words = [folder / "hr", folder / "lr", "--out", folder / "new", "--workers", 1, *options]
    return run(parse([str(each) for each in words]))


def test_a_moved_scene_lies_where_it_lay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hr, lr = write_pair(tmp_path, 0.375, -1.5, nodata=0)
    with rasterio.open(tmp_path / "hr" / "a.tif", "r+") as source:
        source.descriptions = ("blue", "green", "red", "infrared")
        source.update_tags(ACQUIRED="2026-05-01")
    assert align(tmp_path) == 0
    assert "place on Earth" not in capsys.readouterr().out
    with (
        rasterio.open(tmp_path / "new" / "HR" / "a.tif") as after,
        rasterio.open(tmp_path / "new" / "LR" / "a.tif") as low,
    ):
        assert (after.height, after.width) == (4 * low.height, 4 * low.width) == (4 * 127, 4 * 126)
        assert (after.crs, after.nodata, after.dtypes) == (low.crs, 0, ("uint16",) * 4)
        assert (
            after.descriptions == ("blue", "green", "red", "infrared")
            and after.tags()["ACQUIRED"] == "2026-05-01"
        )
        np.testing.assert_array_equal(low.read().transpose(1, 2, 0), lr[1:, :126])
        assert low.transform == rasterio.Affine(10, 0, 500000, 0, -10, 5400000 - 10)
        # Row 0 of the result is row 4 - 1.5 of HR, and column 0 is column 6: both as the shift was measured.
        row, column = (after.transform.f - 5400000) / -2.5, (after.transform.c - 500000) / 2.5
        assert (row, column) == (pytest.approx(2.5, abs=0.15), pytest.approx(6, abs=0.001))
        # Any place on Earth has the values that it had.
        found = after.read().transpose(1, 2, 0).astype(float)
    lines = np.arange(100, 300)
    at = lines + row
    upper = np.floor(at).astype(int)
    between = (hr[upper] * (1 - (at - upper))[:, None, None] + hr[upper + 1] * (at - upper)[:, None, None])[
        :, 6:510
    ]
    assert np.abs(found[lines] - between).mean() < 0.25 * np.abs(found[lines] - hr[lines][:, 6:510]).mean()


def test_an_aligned_scene_keeps_its_pixels_and_its_transform(tmp_path: Path) -> None:
    hr, lr = write_pair(tmp_path, 0.0, 0.0)
    assert align(tmp_path) == 0
    for side, values, pixel in (("HR", hr, 2.5), ("LR", lr, 10.0)):
        with rasterio.open(tmp_path / "new" / side / "a.tif") as after:
            np.testing.assert_array_equal(after.read().transpose(1, 2, 0), values)
            assert after.transform == rasterio.Affine(pixel, 0, 500000, 0, -pixel, 5400000)


@pytest.mark.parametrize("kind", ["mask", "alpha"])
def test_masks_and_alpha_move_with_it(tmp_path: Path, kind: str) -> None:
    hr, lr = pair(0.375, 0.0)
    valid = np.ones(hr.shape[:2], bool)
    valid[100:140, 200:280] = False
    if kind == "alpha":
        hr = np.concatenate([hr, 255 * valid[:, :, None].astype(np.uint8)], axis=2)
    marked = {"alpha": "yes"} if kind == "alpha" else {}
    path = write_scene(tmp_path / "hr" / "a.tif", hr, pixel=2.5, photometric="rgb", **marked)
    write_scene(tmp_path / "lr" / "a.tif", lr, pixel=10.0, photometric="rgb")
    if kind == "mask":
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as source:
            source.write_mask(valid)
    assert align(tmp_path) == 0
    expected = np.ones((508, 512), bool)
    expected[97:138, 200:280] = False
    with rasterio.open(tmp_path / "new" / "HR" / "a.tif") as after:
        assert after.count == (4 if kind == "alpha" else 3)
        np.testing.assert_array_equal(after.dataset_mask() > 0, expected)


def test_points_and_camera_models_are_moved(tmp_path: Path) -> None:
    from rasterio.control import GroundControlPoint
    from rasterio.rpc import RPC

    values = np.zeros((20, 30, 1), np.uint8)
    path = write_scene(tmp_path / "hr" / "a.tif", values, pixel=1, crs=None)
    coefficients = {
        f"{axis}_{part}_coeff": [1.0] * 20 for axis in ("line", "samp") for part in ("num", "den")
    }
    offsets = {
        "height_off": 0,
        "height_scale": 1,
        "lat_off": 48,
        "lat_scale": 1,
        "long_off": 8,
        "long_scale": 1,
    }
    camera = RPC(line_off=9.5, line_scale=10, samp_off=14.5, samp_scale=15, **offsets, **coefficients)
    with rasterio.open(path, "r+") as source:
        source.gcps = [GroundControlPoint(row=4, col=10, x=8, y=48)], rasterio.CRS.from_epsg(4326)
        source.rpcs = camera
    target = tmp_path / "new.tif"
    with (
        opened(path) as reader,
        created(target, reader, raster=Raster(top=2.5, left=6, size=(16, 24))) as writer,
    ):
        writer.write(values[:16, :24], None, top=0, left=0)
    with rasterio.open(target) as after:
        (moved,), _ = after.gcps
        assert (after.height, after.width) == (16, 24)
        assert (moved.row, moved.col, moved.x, moved.y) == (1.5, 4, 8, 48)
        assert (after.rpcs.line_off, after.rpcs.samp_off) == (7, 8.5)
        assert (after.rpcs.line_scale, after.rpcs.samp_scale) == (10, 15)
        assert after.transform.is_identity  # nothing is made up


def test_without_rasterio_the_loss_of_the_place_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pair(tmp_path, 0.5, 0.0)
    monkeypatch.setattr("sr.geo.scene.has_rasterio", lambda: False)
    monkeypatch.setattr(
        "sr.programs.align.in_processes", lambda work, things, **options: [work(each) for each in things]
    )
    assert align(tmp_path) == 0
    said = capsys.readouterr().out
    assert (
        "the place on Earth of 1 pair is lost (a.tif): pip install 'sr-lightning[geo]' (with the quotes) keeps it"
        in said
    )
    with rasterio.open(tmp_path / "new" / "HR" / "a.tif") as after:
        assert (after.height, after.crs) == (508, None)
