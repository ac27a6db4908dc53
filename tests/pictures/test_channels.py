"""Pictures as the channels that a net is for, as training, check and evaluation take them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from sr.pictures.picture import UnreadableImageError
from sr.pictures.reading import read_header, read_image
from sr.pictures.writing import write_png


def pixels(height: int = 9, width: int = 7, channels: int = 3, dtype: type = np.uint8) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, np.iinfo(dtype).max, (height, width, channels), endpoint=True).astype(dtype)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".bmp"])
def test_lossless_formats_keep_rgb_order(tmp_path: Path, suffix: str) -> None:
    image = pixels()
    Image.fromarray(image).save(tmp_path / f"x{suffix}")
    np.testing.assert_array_equal(read_image(tmp_path / f"x{suffix}"), image)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_formats_keep_rgb_order(tmp_path: Path, suffix: str) -> None:
    image = np.full((16, 16, 3), (200, 100, 30), np.uint8)
    Image.fromarray(image).save(tmp_path / f"x{suffix}", quality=95)
    assert np.abs(read_image(tmp_path / f"x{suffix}").astype(int) - image).max() <= 4


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bit_stays_sixteen_bit(tmp_path: Path, channels: int) -> None:
    image = pixels(channels=channels, dtype=np.uint16)
    write_png(tmp_path / "x.png", image)
    read = read_image(tmp_path / "x.png", channels=channels)
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, image)


def test_gray_becomes_rgb_and_rgb_becomes_luma(tmp_path: Path) -> None:
    gray = pixels(channels=1)
    write_png(tmp_path / "gray.png", gray)
    np.testing.assert_array_equal(read_image(tmp_path / "gray.png"), np.repeat(gray, 3, axis=2))
    write_png(tmp_path / "red.png", np.full((4, 4, 3), (255, 0, 0), np.uint8))
    np.testing.assert_array_equal(
        read_image(tmp_path / "red.png", channels=1), np.full((4, 4, 1), 76)
    )  # .299 * 255


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    image = np.zeros((2, 2, 4), np.uint8)
    image[0, 0] = (10, 20, 30, 255)  # opaque
    image[0, 1] = (10, 20, 30, 0)  # invisible: its colour means nothing
    image[1, 0] = (0, 0, 0, 51)  # one fifth black
    Image.fromarray(image).save(tmp_path / "x.png")
    read = read_image(tmp_path / "x.png")
    assert read[0, 0].tolist() == [10, 20, 30]
    assert read[0, 1].tolist() == [255, 255, 255]
    assert read[1, 0].tolist() == [204, 204, 204]


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    image = np.zeros((16, 32, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by a quarter
    Image.fromarray(image).save(tmp_path / "x.jpg", exif=exif)
    assert read_image(tmp_path / "x.jpg").shape == (32, 16, 3)
    header = read_header(tmp_path / "x.jpg")
    assert (header.height, header.width) == (32, 16)


@pytest.mark.parametrize("planar", [False, True])
def test_multispectral_tiff(tmp_path: Path, planar: bool) -> None:
    image = pixels(channels=6, dtype=np.uint16)
    stored, layout = (image.transpose(2, 0, 1), "separate") if planar else (image, "contig")
    tifffile.imwrite(tmp_path / "x.tif", stored, photometric="minisblack", planarconfig=layout)
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif", channels=6), image)
    with pytest.raises(UnreadableImageError, match=r"x\.tif: has 6 bands, where channels=3"):
        read_image(tmp_path / "x.tif")


def test_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.png").touch()
    with pytest.raises(UnreadableImageError, match=r"x\.png: the file is empty"):
        read_image(tmp_path / "x.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff", ".bmp"])
@pytest.mark.parametrize("kept", [0.5, 0.97])
def test_truncated_file_is_named(tmp_path: Path, suffix: str, kept: float) -> None:
    data = cv2.imencode(suffix, pixels(64, 64))[1].tobytes()
    path = tmp_path / f"x{suffix}"
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(UnreadableImageError, match=rf"x\{suffix}: .*truncated"):
        read_image(path)


def test_text_and_doubles_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_text("not a picture")
    with pytest.raises(UnreadableImageError, match="not an image"):
        read_image(tmp_path / "x.jpg")
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((4, 4, 3), np.float64), photometric="rgb")
    with pytest.raises(UnreadableImageError, match="pixels are float64"):
        read_image(tmp_path / "x.tif")


def test_size_from_the_header(tmp_path: Path) -> None:
    write_png(tmp_path / "x.png", pixels(9, 7))
    header = read_header(tmp_path / "x.png")
    assert (header.height, header.width) == (9, 7)
    tifffile.imwrite(tmp_path / "x.tif", pixels(9, 7, 6), photometric="minisblack", planarconfig="contig")
    header = read_header(tmp_path / "x.tif")
    assert (header.height, header.width) == (9, 7)
