"""Signed and float TIFFs, no-data values and GeoTIFF tags."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from sr.pictures.picture import Picture, UnreadableImageError
from sr.pictures.reading import read_header, read_image, read_picture
from sr.pictures.writing import check_holds, write_picture


def measured(dtype: str, bands: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.asarray((rng.normal(size=(12, 9, bands)) * 1000).astype(dtype))


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("bands", [1, 2, 3, 4, 13, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_they_are_read_as_they_are(tmp_path: Path, dtype: str, bands: int, order: str) -> None:
    image = measured(dtype, bands)
    path = tmp_path / "x.tif"
    tifffile.imwrite(
        path,
        image.transpose(2, 0, 1) if bands > 1 else image[:, :, 0],
        photometric="minisblack",
        planarconfig="separate" if bands > 1 else None,
        byteorder=order,
        metadata=None,
    )
    picture, header = read_picture(path), read_header(path)
    assert picture.colour.dtype == np.dtype(dtype) == header.dtype
    assert picture.colour.dtype.isnative
    assert (header.bands, header.alpha, picture.alpha) == (bands, False, None)
    np.testing.assert_array_equal(picture.colour, image)
    np.testing.assert_array_equal(read_image(path, channels=bands), image)
    assert f"{dtype}: used as such" in header.conversions(bands)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("nodata", [None, 0.0, -9999.0, 1.5, float("nan"), -3.4028234663852886e38])
def test_what_is_written_is_read_again(tmp_path: Path, dtype: str, nodata: float | None) -> None:
    image = np.abs(measured(dtype, 6))
    write_picture(tmp_path / "x.tif", Picture(image.copy(), nodata=nodata))
    found = read_picture(tmp_path / "x.tif")
    assert found.colour.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found.colour, image)
    assert found.nodata == nodata or (nodata != nodata and found.nodata != found.nodata)


def test_no_data_is_written_as_gdal_reads_it(tmp_path: Path) -> None:
    write_picture(tmp_path / "x.tif", Picture(measured("int16", 2), nodata=-9999.0))
    with tifffile.TiffFile(tmp_path / "x.tif") as tiff:
        tag = tiff.pages.first.tags[42113]
        assert (tag.dtype, tag.value) == (2, "-9999")


def test_other_words_in_the_tag_are_said(tmp_path: Path) -> None:
    tag = (42113, 2, 0, "none", True)
    tifffile.imwrite(tmp_path / "x.tif", measured("int16", 1)[:, :, 0], extratags=[tag])
    found = read_picture(tmp_path / "x.tif")
    assert found.nodata is None
    assert found.notes == ("its no-data value 'none' is no number and is left out of account",)


def test_levels_that_reading_changes_have_no_no_data_value(tmp_path: Path) -> None:
    levels = np.zeros((4, 4), np.uint8)
    tag = (42113, 2, 0, "0", True)
    tifffile.imwrite(tmp_path / "x.tif", levels, photometric="miniswhite", extratags=[tag])
    found = read_picture(tmp_path / "x.tif")
    assert found.nodata is None
    assert found.notes == ("its no-data value 0 is left out of account",)


@pytest.mark.parametrize("tag", [33550, 33922, 34264, 34735])
def test_a_place_on_earth_is_noticed(tmp_path: Path, tag: int) -> None:
    value = (tag, 3, 4, (1, 1, 0, 0), True) if tag == 34735 else (tag, 12, 3, (10.0, 10.0, 0.0), True)
    tifffile.imwrite(tmp_path / "x.tif", measured("uint16", 1)[:, :, 0], extratags=[value])
    assert read_picture(tmp_path / "x.tif").georeferenced
    write_picture(tmp_path / "y.tif", read_picture(tmp_path / "x.tif"))
    assert not read_picture(tmp_path / "y.tif").georeferenced


def test_measured_values_are_no_colours(tmp_path: Path) -> None:
    write_picture(tmp_path / "x.tif", Picture(measured("float32", 3)))
    with pytest.raises(
        UnreadableImageError, match=r"has 3 band.* channels=1 are asked for; float32 is no colour"
    ):
        read_image(tmp_path / "x.tif", channels=1)
    marked = measured("int16", 4)
    tifffile.imwrite(tmp_path / "y.tif", marked, photometric="rgb", extrasamples=["unassalpha"])
    with pytest.raises(UnreadableImageError, match="int16 with a sample that is marked as alpha"):
        read_picture(tmp_path / "y.tif")
    tifffile.imwrite(tmp_path / "z.tif", measured("float32", 1)[:, :, 0], photometric="miniswhite")
    with pytest.raises(UnreadableImageError, match="float32 of the kind MINISWHITE"):
        read_picture(tmp_path / "z.tif")
    with pytest.raises(
        ValueError, match=r"holds float32, and \.png does not: take a TIFF with --format same"
    ):
        check_holds(tmp_path / "x.tif", ".png", Picture(measured("float32", 1)))
