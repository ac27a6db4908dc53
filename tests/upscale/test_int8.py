"""`sr-upscale --precision int8`: calibrated with the inputs, or with a folder that is named."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import picture
from upscaling import upscale

from sr.commands.upscale import parse
from sr.programs.upscale_plan import for_calibration, plan
from sr.upscale.jobs import UpscaleJob


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for seed in range(2):
        cv2.imwrite(str(tmp_path / "photos" / f"{seed}.png"), picture(70, 130, seed=seed))
    return tmp_path / "photos"


def test_pictures_are_enlarged_in_int8(
    photos: Path, ckpt: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("nncf")
    for precision in ("fp32", "int8"):
        assert upscale(photos, "--ckpt", ckpt, "--out", tmp_path / precision, "--precision", precision) == 0
    out, err = capfd.readouterr()
    assert "int8: 3 tiles of 2 picture(s) for the calibration, 1 others to measure the result" in err
    assert "dB from fp32 on 1 tiles that it was not calibrated with" in err
    assert "SRVGGNetCompact x2, cpu, openvino, int8 (" in out
    exact, found = (
        cv2.imread(str(tmp_path / precision / "0.png")).astype(float) for precision in ("fp32", "int8")
    )
    assert 0 < np.square(found - exact).mean() < 255**2 / 1e4  # 40 dB


def options(*words: object, out: Path) -> list[str]:
    return [*map(str, words), "--ckpt", "net.ckpt", "--out", str(out)]


def test_calibrate_needs_int8(photos: Path, tmp_path: Path) -> None:
    given = parse(options(photos, "--calibrate", photos, out=tmp_path / "out"))
    with pytest.raises(ValueError, match=r"--calibrate=.*photos is for --precision=int8, not auto"):
        plan(given, say=print)


def test_films_alone_need_a_folder_of_pictures(photos: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    film.touch()
    given = options(film, "--precision", "int8", out=tmp_path / "out")
    with pytest.raises(
        ValueError, match=r"--precision=int8 .* films or scenes alone: name a folder of pictures"
    ):
        plan(parse(given), say=print)
    jobs = [UpscaleJob(film, tmp_path / "out" / "film.mkv")]
    found = for_calibration(parse([*given, "--calibrate", str(photos)]), jobs)
    assert found == [photos / "0.png", photos / "1.png"]


def test_without_a_folder_it_is_calibrated_with_pictures_and_frames_and_no_scene(tmp_path: Path) -> None:
    given = parse(options("x", "--precision", "int8", out=tmp_path))
    single, scene = tmp_path / "a.png", tmp_path / "scene.tif"
    frames = (tmp_path / "film" / "1.png", tmp_path / "film" / "2.png")
    jobs = [
        UpscaleJob(scene, tmp_path / "out" / "scene.tif", is_scene=True),
        UpscaleJob(single, tmp_path / "out" / "a.png"),
        UpscaleJob(tmp_path / "film", tmp_path / "out.mkv", pictures=frames),
    ]
    assert for_calibration(given, jobs) == [single, *frames]
