"""Files that readers get wrong: every reader gives the one picture that is in them, or refuses by name."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from picture_files import ALPHA, GRAY, HEIGHT, PICTURES, REFUSED, RGB, WIDTH, pillow, tiff
from PIL import Image

from sr.archs.srvgg import SRVGGNetCompact
from sr.commands import check as check_command
from sr.commands import upscale as upscale_command
from sr.data.check.findings import examine
from sr.data.origins import FolderData
from sr.data.sources import ImageFiles
from sr.degradations.bicubic import BicubicDegradation
from sr.pictures.picture import UnreadableImageError
from sr.pictures.reading import decode_image, read_header, read_image, read_picture
from sr.programs import check, upscale
from sr.upscale.jobs import plan_jobs


def as_training(colour: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """What three channels make of a picture, computed another way."""
    top = np.iinfo(colour.dtype).max
    colour = np.broadcast_to(colour, (*colour.shape[:2], 3)).astype(np.float64)
    share = 1.0 if alpha is None else alpha / top
    return (colour * share + top * (1 - share)).round()


@pytest.mark.parametrize("name", PICTURES)
def test_every_reader_sees_the_picture(tmp_path: Path, name: str) -> None:
    content, colour, alpha = PICTURES[name]
    path = tmp_path / name
    path.write_bytes(content)
    found = read_picture(path)
    assert found.colour.dtype == colour.dtype
    np.testing.assert_array_equal(found.colour, colour)
    assert (found.alpha is None) == (alpha is None)
    if alpha is not None:
        np.testing.assert_array_equal(found.alpha, alpha)
    header = read_header(path)
    assert (header.height, header.width, header.bands) == colour.shape
    assert (header.alpha, header.depth) == (alpha is not None, colour.itemsize)
    channels = 3 if colour.shape[2] in (1, 3) else colour.shape[2]
    image = read_image(path, channels=channels)
    np.testing.assert_array_equal(image, as_training(colour, alpha) if channels == 3 else colour)
    np.testing.assert_array_equal(decode_image(content, name=name, channels=channels), image)
    assert ImageFiles([path], root=tmp_path, channels=channels).size(0) == image.shape[:2]
    assert "unreadable" not in [each.kind for each in examine(path, channels=channels, smallest=8).findings]


@pytest.mark.parametrize("name", REFUSED)
def test_every_reader_refuses_by_name(tmp_path: Path, name: str) -> None:
    content, words = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(content)
    readers: list[Callable[[], object]] = [
        lambda: read_picture(path),
        lambda: read_image(path),
        lambda: decode_image(content, name=str(path)),
    ]
    for read in readers:
        with pytest.raises(UnreadableImageError, match=rf"{path.name}: {words}"):
            read()
    (finding,) = examine(path, channels=3, smallest=8).findings
    assert finding.kind == "unreadable"


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Every file that is refused, and two good ones."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name, (content, _) in REFUSED.items():
        (folder / name).write_bytes(content)
    for name in ("b_good.png", "z_good.png"):
        (folder / name).write_bytes(pillow(Image.fromarray(RGB), "PNG"))
    return folder


def test_check_goes_on_with_the_others(mixed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["data.hr_patch_size=16", "--workers", "1", "--out", str(mixed / "bad.txt")]
    assert check.run(check_command.parse([str(mixed), *options])) == 1
    assert f"  unreadable  {len(REFUSED):6}" in capsys.readouterr().out
    listed = {line.split("  #")[0] for line in (mixed / "bad.txt").read_text().splitlines()}
    assert listed >= REFUSED.keys()


def test_upscaling_goes_on_with_the_others(mixed: Path, tmp_path: Path) -> None:
    torch.save(SRVGGNetCompact(scale=2, num_feat=8, num_conv=1).state_dict(), tmp_path / "net.pth")
    arguments = [str(mixed), "--ckpt", str(tmp_path / "net.pth"), "--out", str(tmp_path / "out")]
    assert upscale.run(upscale_command.parse(arguments)) == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b_good.png", "z_good.png"]


@pytest.mark.parametrize("cache", ["none", "disk"])
def test_training_goes_on_with_the_others(mixed: Path, tmp_path: Path, cache: str) -> None:
    data = FolderData(
        scale=4,
        hr_patch_size=16,
        batch_size=2,
        seed=0,
        degradation=BicubicDegradation(scale=4),
        train_dir=str(mixed),
        val_dir=None,
        num_workers=0,
        iterations_per_epoch=20,
        on_error="skip",
        cache=cache,
        cache_dir=str(tmp_path / "cache") if cache == "disk" else None,
    )
    data.prepare_data()
    assert len(list(data.train_dataloader())) == 20


def test_a_palette_of_grays_is_gray(tmp_path: Path) -> None:
    grays = np.repeat(np.arange(256, dtype=np.uint16)[None] * 257, 3, 0)
    (tmp_path / "x.tif").write_bytes(tiff(GRAY[:, :, 0], photometric="palette", colormap=grays))
    np.testing.assert_array_equal(read_picture(tmp_path / "x.tif").colour, GRAY)


def test_four_bands_are_not_taken_for_colour_and_alpha(tmp_path: Path) -> None:
    (tmp_path / "x.tif").write_bytes(PICTURES["black4_8.tif"][0])
    words = r"x\.tif: has 4 bands, of which the file marks none as alpha, where channels=3 are asked for"
    with pytest.raises(UnreadableImageError, match=words):
        read_image(tmp_path / "x.tif")


def test_alpha_is_a_channel_where_as_many_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "x.tif").write_bytes(PICTURES["alpha8.tif"][0])
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif", channels=4), np.dstack([RGB, ALPHA]))


def test_a_guess_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(PICTURES["cmyk_rgb_profile.jpg"][0])
    found = read_picture(tmp_path / "x.jpg")
    assert found.notes == ("CMYK without a profile of its inks: its colours are a guess",)
    assert found.icc is None


def test_a_setting_raises_the_limit_for_every_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(pillow(Image.fromarray(RGB), "PNG"))
    monkeypatch.setenv("SR_MAX_PIXELS", str(HEIGHT * WIDTH - 1))
    for read in (read_header, read_picture, read_image):
        with pytest.raises(UnreadableImageError, match="SR_MAX_PIXELS=N in the environment raises"):
            read(path)
    monkeypatch.setenv("SR_MAX_PIXELS", str(HEIGHT * WIDTH))
    assert read_image(path).shape == RGB.shape
    monkeypatch.setenv("SR_MAX_PIXELS", "many")
    with pytest.raises(ValueError, match="SR_MAX_PIXELS='many': write a number of pixels"):
        read_header(path)


def test_a_pipe_is_no_picture(tmp_path: Path) -> None:
    """Opening it would wait for somebody who writes."""
    os.mkfifo(tmp_path / "x.png")
    for read in (read_header, read_picture, read_image):
        with pytest.raises(
            UnreadableImageError, match=r"x\.png: not an image but a folder, a pipe or a device"
        ):
            read(tmp_path / "x.png")
    assert plan_jobs([str(tmp_path / "x.png")], out_dir=tmp_path / "out", file_format="png")
