"""Scenes written by rasterio, enlarged block by block, and read again by rasterio."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from upscaling import network

from sr.geo import enlarging
from sr.geo.enlarging import blocks, enlarge_scene
from sr.geo.scene import Raster, Shape, created, is_scene, opened
from sr.ops.no_data import enlarged
from sr.pictures.picture import Picture, UnreadableImageError
from sr.upscale.upscaler import Upscaler

rasterio = pytest.importorskip("rasterio")
SCALE = 2


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write (bands, H, W) with a place in UTM zone 32, and what else is given."""

    def file(values: np.ndarray, *, name: str = "scene.tif", **profile: Any) -> Path:
        path = tmp_path / name
        shape = {"count": values.shape[0], "height": values.shape[1], "width": values.shape[2]}
        place = {"crs": "EPSG:32632", "transform": rasterio.Affine(10, 0, 500000, 0, -10, 5400000)}
        with rasterio.open(
            path, "w", driver="GTiff", dtype=values.dtype, **{**shape, **place, **profile}
        ) as new:
            new.write(values)
        return path

    return file


def scene(bands: int, height: int, width: int, dtype: str) -> np.ndarray:
    """Smooth values, the same for the same size."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / (3 + band)) * np.cos(y / (4 + band)) for band in range(bands)]
    return np.asarray(((np.stack(waves) + 1) * 60 + 40).astype(dtype))


def enlarge(
    path: Path, target: Path, *, bands: int, side: int | None = None, monkeypatch: Any = None
) -> None:
    upscaler = Upscaler(network=network(scale=SCALE, channels=bands), report=lambda line: None)
    if side:
        monkeypatch.setattr(enlarging, "LARGEST", side)
        monkeypatch.setattr(enlarging, "SMALLEST", side)
    with opened(path) as reader:
        grid = blocks(reader.shape, scale=SCALE, margin=upscaler.margin)
        assert len(grid) > 1 or not side
        with created(target, reader, raster=Raster(scale=SCALE)) as writer:
            enlarge_scene(reader, writer, grid=grid, scale=SCALE, enlarge=upscaler)


def test_place_names_and_tags_survive(write: Callable[..., Path], tmp_path: Path) -> None:
    values = scene(3, 20, 30, "uint16")
    path = write(values, nodata=7)
    with rasterio.open(path, "r+") as source:
        source.descriptions = ("red", "green", "infrared")
        source.units = ("reflectance",) * 3
        source.scales, source.offsets = (1e-4,) * 3, (-0.1,) * 3
        source.update_tags(ACQUIRED="2026-05-01")
        source.update_tags(2, WAVELENGTH="560", STATISTICS_MEAN="100")
    enlarge(path, tmp_path / "large.tif", bands=3)
    with rasterio.open(path) as before, rasterio.open(tmp_path / "large.tif") as after:
        assert (after.height, after.width, after.count) == (40, 60, 3)
        assert after.crs == before.crs
        assert after.transform == rasterio.Affine(5, 0, 500000, 0, -5, 5400000)
        assert after.bounds == before.bounds
        assert (after.nodata, after.dtypes) == (7, ("uint16",) * 3)
        for name in ("descriptions", "units", "scales", "offsets", "colorinterp"):
            assert getattr(after, name) == getattr(before, name)
        assert after.tags()["ACQUIRED"] == "2026-05-01"
        assert after.tags(2)["WAVELENGTH"] == "560"
        assert "STATISTICS_MEAN" not in after.tags(2)  # of other pixels
        assert (after.block_shapes[0], after.compression.name) == ((512, 512), "deflate")


def test_control_points_and_a_camera_model_follow_the_scale(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    path = write(scene(1, 20, 30, "uint8"), crs=None, transform=None)
    point = rasterio.control.GroundControlPoint(row=4.0, col=10.0, x=8.0, y=48.0)
    coefficients = [0.0, 1.0, *[0.0] * 18]
    camera = rasterio.rpc.RPC(
        height_off=0, height_scale=100, lat_off=48, lat_scale=1, long_off=8, long_scale=1,
        line_off=9.5, line_scale=10, samp_off=14.5, samp_scale=15,
        line_num_coeff=coefficients, line_den_coeff=coefficients,
        samp_num_coeff=coefficients, samp_den_coeff=coefficients,
    )  # fmt: skip
    with rasterio.open(path, "r+") as source:
        source.gcps = [point], rasterio.crs.CRS.from_epsg(4326)
        source.rpcs = camera
    assert is_scene(path)
    enlarge(path, tmp_path / "large.tif", bands=1)
    with rasterio.open(tmp_path / "large.tif") as after:
        (moved,), system = after.gcps
        assert (moved.row, moved.col, moved.x, moved.y, system.to_epsg()) == (8, 20, 8, 48, 4326)
        # The centre of the image, (9.5, 14.5) counted from the centre of the first pixel, stays its centre.
        assert (after.rpcs.line_off, after.rpcs.samp_off) == (19.5, 29.5)
        assert (after.rpcs.line_scale, after.rpcs.samp_scale) == (20, 30)


@pytest.mark.parametrize(("dtype", "bands"), [("uint8", 3), ("uint16", 6), ("uint16", 1)])
def test_blocks_give_what_the_whole_gives(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, bands: int
) -> None:
    values = scene(bands, 70, 90, dtype)
    path = write(values)
    enlarge(path, tmp_path / "large.tif", bands=bands, side=24, monkeypatch=monkeypatch)
    upscaler = Upscaler(network=network(scale=SCALE, channels=bands))
    whole = upscaler(Picture(np.ascontiguousarray(values.transpose(1, 2, 0)))).colour
    with rasterio.open(tmp_path / "large.tif") as after:
        found = after.read().transpose(1, 2, 0)
    assert np.abs(found.astype(int) - whole.astype(int)).max() <= 1


def test_no_data_by_value_stays_so_across_blocks(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = scene(2, 60, 60, "uint16")
    values[:, 10:40, 20:50] = 0
    values[1, :5] = 0
    enlarge(write(values, nodata=0), tmp_path / "large.tif", bands=2, side=16, monkeypatch=monkeypatch)
    with rasterio.open(tmp_path / "large.tif") as after:
        found = after.read()
    np.testing.assert_array_equal(found == 0, (values == 0).repeat(2, axis=1).repeat(2, axis=2))


@pytest.mark.parametrize("kind", ["mask", "alpha"])
def test_masks_and_alpha_are_enlarged_by_the_nearest_pixel(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    values = scene(3, 50, 50, "uint8")
    valid = np.ones((50, 50), bool)
    valid[5:30, 5:45] = False
    if kind == "alpha":
        path = write(
            np.concatenate([values, 255 * valid[None].astype(np.uint8)]), photometric="rgb", alpha="yes"
        )
    else:
        path = write(values)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as source:
            source.write_mask(valid)
    enlarge(path, tmp_path / "large.tif", bands=3, side=16, monkeypatch=monkeypatch)
    expected = enlarged(valid[:, :, None], size=(100, 100))[:, :, 0]
    with rasterio.open(tmp_path / "large.tif") as after:
        assert after.count == (4 if kind == "alpha" else 3)
        np.testing.assert_array_equal(after.dataset_mask() > 0, expected)
        found = after.read([1, 2, 3]).transpose(1, 2, 0)
    # What lies under the mask does not shine through: beside it, there are the values of the nearest pixels with data.
    assert found[expected].min() >= 35


def test_overviews_are_made_where_the_original_has_them(write: Callable[..., Path], tmp_path: Path) -> None:
    path = write(scene(1, 300, 400, "uint8"))
    enlarge(path, tmp_path / "plain.tif", bands=1)
    with rasterio.open(path, "r+") as source:
        source.build_overviews([2], rasterio.enums.Resampling.average)
    enlarge(path, tmp_path / "large.tif", bands=1)
    with rasterio.open(tmp_path / "plain.tif") as plain, rasterio.open(tmp_path / "large.tif") as large:
        assert (plain.overviews(1), large.overviews(1)) == ([], [2, 4])


@pytest.mark.parametrize(
    ("bands", "dtype", "scale", "side"),
    [(10, "uint16", 4, 915), (1, "uint8", 2, 2048), (64, "float32", 8, 128)],
)
def test_a_block_has_a_result_that_memory_holds(bands: int, dtype: str, scale: int, side: int) -> None:
    shape = Shape(40_000, 40_000, bands, np.dtype(dtype), None, False)
    grid = blocks(shape, scale=scale, margin=lambda: (10, 1))
    height, width = grid.tile_size
    assert side - 40 <= height <= side + 20 and height == width
    assert (side * scale) ** 2 * bands * np.dtype(dtype).itemsize <= 1.05 * enlarging.RESULT


def test_what_is_no_scene(write: Callable[..., Path], tmp_path: Path) -> None:
    values = scene(1, 8, 8, "uint8")
    assert is_scene(write(values))
    assert not is_scene(write(values, name="plain.tif", crs=None, transform=None))
    (tmp_path / "text.tif").write_text("no image")
    assert not is_scene(tmp_path / "text.tif")
    assert not is_scene(tmp_path / "gone.tif")


def test_values_that_are_no_levels_are_refused(write: Callable[..., Path]) -> None:
    with (
        pytest.raises(
            UnreadableImageError, match=r"float64; read are scenes of one of uint8, uint16, int16, float32"
        ),
        opened(write(scene(1, 8, 8, "float64"))),
    ):
        pass
    path = write(scene(1, 8, 8, "uint8"), name="classes.tif", photometric="palette")
    with rasterio.open(path, "r+") as source:
        source.write_colormap(1, {0: (255, 0, 0, 255)})
    with pytest.raises(UnreadableImageError, match="table of colours"), opened(path):
        pass
