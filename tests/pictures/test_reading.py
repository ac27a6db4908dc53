"""Every kind of file becomes what it shows."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from helpers import picture as smooth
from PIL import Image, ImageCms
from random_pictures import noise, png16

from sr.pictures.png import write_png_stream
from sr.pictures.reading import Header, read_header, read_picture

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_eight_bits(tmp_path: Path, channels: int, suffix: str) -> None:
    if suffix == ".webp" and channels < 3:
        pytest.skip("WebP has no gray")
    pixels = noise(channels)
    path = tmp_path / f"x{suffix}"
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels, mode).save(path, lossless=True, exact=True)
    found = read_picture(path)
    colours = 1 if channels < 3 else 3
    np.testing.assert_array_equal(found.colour, pixels[:, :, :colours])
    if channels in (2, 4):
        assert found.alpha is not None
        np.testing.assert_array_equal(found.alpha, pixels[:, :, colours:])
    else:
        assert found.alpha is None
    assert read_header(path) == Header(12, 9, colours, alpha=channels in (2, 4), depth=1)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bit_png(tmp_path: Path, channels: int) -> None:
    pixels = noise(channels, np.uint16)
    png16(tmp_path / "x.png", pixels)
    found = read_picture(tmp_path / "x.png")
    np.testing.assert_array_equal(found.colour, pixels[:, :, : min(channels, 3)])
    if channels == 4:
        np.testing.assert_array_equal(found.alpha, pixels[:, :, 3:])
    header = read_header(tmp_path / "x.png")
    assert (header.bands + header.alpha, header.depth) == (channels, 2)


def test_sixteen_bit_gray_with_alpha(tmp_path: Path) -> None:
    pixels = noise(2, np.uint16)
    with (tmp_path / "x.png").open("wb") as file:
        write_png_stream(file, colour=pixels[:, :, :1], alpha=pixels[:, :, 1:])
    found = read_picture(tmp_path / "x.png")
    np.testing.assert_array_equal(found.colour, pixels[:, :, :1])
    np.testing.assert_array_equal(found.alpha, pixels[:, :, 1:])


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_sixteen_bit_tiff(tmp_path: Path, channels: int, planar: str) -> None:
    pixels = noise(channels, np.uint16)
    stored = (
        pixels[:, :, 0] if channels == 1 else pixels.transpose(2, 0, 1) if planar == "separate" else pixels
    )
    tifffile.imwrite(
        tmp_path / "x.tif",
        stored,
        photometric="minisblack" if channels == 1 else "rgb",
        planarconfig=None if channels == 1 else planar,
        extrasamples=["unassalpha"] if channels == 4 else None,
        iccprofile=SRGB,
    )
    found = read_picture(tmp_path / "x.tif")
    np.testing.assert_array_equal(found.colour, pixels[:, :, : min(channels, 3)])
    assert found.icc == SRGB
    assert (found.alpha is None) == (channels < 4)


def test_sixteen_bit_tiff_with_lzw(tmp_path: Path) -> None:
    """A compression that OpenCV has to read."""
    pixels = noise(3, np.uint16)
    assert cv2.imwrite(str(tmp_path / "x.tif"), pixels[:, :, ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])  # LZW
    np.testing.assert_array_equal(read_picture(tmp_path / "x.tif").colour, pixels)


def test_one_bit_is_gray(tmp_path: Path) -> None:
    Image.fromarray(noise(1)[:, :, 0] > 127).save(tmp_path / "x.png")
    found = read_picture(tmp_path / "x.png").colour
    np.testing.assert_array_equal(found[:, :, 0], (noise(1)[:, :, 0] > 127) * 255)


def test_palettes(tmp_path: Path) -> None:
    index = np.arange(12, dtype=np.uint8).reshape(3, 4) % 3
    for name, colours, channels in (
        ("colour", [255, 0, 0, 0, 255, 0, 0, 0, 255], 3),
        ("gray", [0, 0, 0, 99, 99, 99, 255, 255, 255], 1),
    ):
        image = Image.fromarray(index, "P")
        image.putpalette(colours)
        image.save(tmp_path / f"{name}.png", transparency=bytes([255, 0, 128]))
        found = read_picture(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(found.colour, np.array(colours).reshape(3, 3)[index][:, :, :channels])
        assert found.alpha is not None
        np.testing.assert_array_equal(found.alpha[:, :, 0], np.array([255, 0, 128])[index])


def test_transparent_colour_of_a_png(tmp_path: Path) -> None:
    """tRNS names one gray level or one colour."""
    gray = noise(1)
    Image.fromarray(gray[:, :, 0]).save(tmp_path / "x.png", transparency=int(gray[2, 3, 0]))
    found = read_picture(tmp_path / "x.png")
    np.testing.assert_array_equal(found.colour, gray)
    assert found.alpha is not None
    np.testing.assert_array_equal(found.alpha == 0, gray == gray[2, 3, 0])


def test_opaque_alpha_is_none(tmp_path: Path) -> None:
    Image.fromarray(smooth(8, 8)).convert("RGBA").save(tmp_path / "x.png")
    assert read_picture(tmp_path / "x.png").alpha is None


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["x.jpg", "x.png", "x.webp", "x.tif", "deep.png", "deep.tif"])
def test_orientation_is_applied(tmp_path: Path, orientation: int, kind: str) -> None:
    """Against the definition in EXIF 2.3: where row 0 and column 0 of what is stored lie in what is seen."""
    seen = np.zeros((16, 32, 3), np.uint8)
    seen[:8, :16], seen[:8, 16:], seen[8:, :16] = 255, 160, 80  # four different quarters
    stored = {
        1: seen,
        2: seen[:, ::-1],
        3: seen[::-1, ::-1],
        4: seen[::-1],
        5: seen.transpose(1, 0, 2),
        6: np.rot90(seen, 1),
        7: seen.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(seen, -1),
    }[orientation]
    path = tmp_path / kind
    exif = Image.Exif()
    exif[0x0112] = orientation
    if kind == "deep.tif":
        tag = [(0x0112, 3, 1, orientation, True)]
        tifffile.imwrite(path, stored.astype(np.uint16) * 257, photometric="rgb", extratags=tag)
    elif kind == "deep.png":
        kinds, contents = [cv2.IMAGE_METADATA_EXIF], [np.frombuffer(exif.tobytes()[6:], np.uint8)]
        assert cv2.imwriteWithMetadata(str(path), stored.astype(np.uint16) * 257, kinds, contents)
    else:
        Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, quality=100)
    found = read_picture(path).colour
    levels = found.astype(int) // (257 if "deep" in kind else 1)
    assert levels.shape == seen.shape
    assert np.abs(levels - seen).max() <= 12  # JPEG and WebP lose a little


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_profile_is_kept(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(smooth(8, 8)).save(tmp_path / f"x{suffix}", icc_profile=SRGB)
    assert read_picture(tmp_path / f"x{suffix}").icc == SRGB


def test_cmyk_becomes_rgb_and_says_so(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "x.jpg", quality=100)
    found = read_picture(tmp_path / "x.jpg")
    np.testing.assert_allclose(found.colour[4, 4], [255, 0, 0], atol=3)
    assert found.icc is None
    assert "CMYK without a profile" in found.notes[0]


def test_first_of_several_pictures(tmp_path: Path) -> None:
    frames = [Image.fromarray(noise(3) // step) for step in (1, 2)]
    for name in ("x.tif", "x.png", "x.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
        found = read_picture(tmp_path / name)
        np.testing.assert_array_equal(found.colour, noise(3))
        assert f"the first of {'several' if name == 'x.tif' else 2} pictures" in found.notes[0]


@pytest.mark.parametrize("size", [(1, 1), (1, 10000), (10000, 1)])
def test_extreme_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    pixels = noise(3, height=size[0], width=size[1])
    Image.fromarray(pixels).save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "x.png").colour, pixels)
