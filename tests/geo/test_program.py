"""sr-upscale on scenes: beside pictures, killed, laid out for the cloud, and without rasterio."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from upscaling import upscale

from sr.archs.srvgg import SRVGGNetCompact
from sr.pictures.reading import read_picture
from sr.pictures.writing import write_png

rasterio = pytest.importorskip("rasterio")


@pytest.fixture
def ckpt(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    torch.save(SRVGGNetCompact(scale=2, num_feat=4, num_conv=1).state_dict(), tmp_path / "net.pth")
    return tmp_path / "net.pth"


def write_scene(path: Path, *, side: int = 40, dtype: str = "uint8") -> np.ndarray:
    path.parent.mkdir(exist_ok=True)
    values = np.random.default_rng(0).integers(0, 200, (3, side, side)).astype(dtype)
    place = {"crs": "EPSG:4326", "transform": rasterio.Affine(0.1, 0, 8, 0, -0.1, 48)}
    shape = {"count": 3, "height": side, "width": side}
    with rasterio.open(path, "w", driver="GTiff", dtype=dtype, photometric="rgb", **shape, **place) as new:
        new.write(values)
    return values


def test_a_scene_stays_a_tiff_beside_pictures_that_become_png(
    tmp_path: Path, ckpt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = write_scene(tmp_path / "in" / "scene.tif")
    write_png(tmp_path / "in" / "picture.png", np.ascontiguousarray(values.transpose(1, 2, 0)))
    assert upscale(tmp_path / "in", "--ckpt", ckpt, "--out", tmp_path / "out", "--precision", "fp32") == 0
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["picture.png", "scene.tif"]
    with rasterio.open(tmp_path / "out" / "scene.tif") as scene:
        assert scene.transform == rasterio.Affine(0.05, 0, 8, 0, -0.05, 48)
        pixels = scene.read().transpose(1, 2, 0)
    np.testing.assert_array_equal(pixels, read_picture(tmp_path / "out" / "picture.png").colour)
    said = capsys.readouterr().err
    assert "scene.tif: 40 x 40 pixels, 3 bands of uint8, EPSG:4326; 1 block(s)" in said
    assert "NotGeoreferenced" not in said and "Warning" not in said


def test_cog_has_overviews_and_its_layout(tmp_path: Path, ckpt: Path) -> None:
    write_scene(tmp_path / "scene.tif", side=600)
    arguments = (tmp_path / "scene.tif", "--ckpt", ckpt, "--out", tmp_path / "out")
    assert upscale(*arguments, "--cog") == 0
    with rasterio.open(tmp_path / "out" / "scene.tif") as scene:
        assert scene.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (scene.height, scene.overviews(1)) == (1200, [2, 4])
        assert scene.crs.to_epsg() == 4326


def test_what_does_not_go_together_is_refused(
    tmp_path: Path, ckpt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scene(tmp_path / "scene.tif")
    write_png(tmp_path / "picture.png", np.zeros((8, 8, 3), np.uint8))
    options = ("--ckpt", ckpt, "--out", tmp_path / "out")
    with pytest.raises(ValueError, match=r"--cog is for georeferenced TIFFs: there is none among the inputs"):
        upscale(tmp_path / "picture.png", *options, "--cog")
    assert upscale(tmp_path / "scene.tif", *options, "--scale", "3") == 1
    assert "a scene is enlarged by the scale of the net, which is 2, and not by 3" in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())


def test_without_rasterio_the_place_is_lost_and_said(
    tmp_path: Path, ckpt: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scene(tmp_path / "scene.tif")
    monkeypatch.setattr("sr.geo.scene.has_rasterio", lambda: False)
    options = ("--ckpt", ckpt, "--out", tmp_path / "out", "--format", "same")
    assert upscale(tmp_path / "scene.tif", *options) == 0
    said = capsys.readouterr().err
    assert "its place on Earth (GeoTIFF tags) is lost in the result: pip install 'sr-lightning[geo]'" in said


def test_a_damaged_scene_fails_alone(tmp_path: Path, ckpt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_scene(tmp_path / "in" / "a.tif", side=300)
    write_scene(tmp_path / "in" / "b.tif")
    data = (tmp_path / "in" / "a.tif").read_bytes()
    (tmp_path / "in" / "a.tif").write_bytes(data[: len(data) // 2])
    assert upscale(tmp_path / "in", "--ckpt", ckpt, "--out", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert f"failed: {tmp_path / 'in' / 'a.tif'}: damaged: " in said
    assert ".part" not in said
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["b.tif"]


def test_a_killed_run_leaves_nothing_that_the_next_does_not_remove(tmp_path: Path, ckpt: Path) -> None:
    write_scene(tmp_path / "scene.tif", side=500)
    code = (
        "import sr.geo.enlarging as e\n"
        "e.LARGEST = e.SMALLEST = 64\n"
        "from sr.commands.upscale import main\n"
        "main()\n"
    )
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-c",
        code,
        str(tmp_path / "scene.tif"),
        "--ckpt",
        str(ckpt),
        "--out",
        str(out),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while process.poll() is None and not list(out.glob(".scene.tif.*.part/scene.tif")):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (left,) = out.iterdir()
    assert left.name.startswith(".scene.tif.")
    assert upscale(tmp_path / "scene.tif", "--ckpt", ckpt, "--out", out) == 0
    assert [each.name for each in out.iterdir()] == ["scene.tif"]
