"""Statistics of bands, against NumPy on all values at once."""

import json
from pathlib import Path

import numpy as np
import pytest
from scenes import write_scene

from sr.commands.normalise import parse
from sr.data.statistics import mean_and_deviation, percentiles
from sr.ops.normalisation import normalisation
from sr.pictures.picture import UnreadableImageError
from sr.programs.normalise import run

SHARES = [0, 1, 50, 99, 100]


def files(folder: Path, dtype: str, nodata: float | None) -> list[np.ndarray]:
    """Three files of two bands, whose upper left lacks data; returns the values with data of each band."""
    rng = np.random.default_rng(0)
    kept: list[list[np.ndarray]] = [[], []]
    for number in range(3):
        image = (rng.normal(size=(20, 30, 2)) * 40 + [100, 120]).clip(1, 250).astype(dtype)
        if dtype != "uint8":
            image = (image * -3).astype(dtype) if dtype in ("int16", "float32") else image
        if nodata is not None:
            image[:5, :7] = nodata
        write_scene(folder / f"{number}.tif", image, nodata=None if dtype == "float32" else nodata)
        for band in range(2):
            found = image[:, :, band].ravel()
            kept[band].append(found if nodata is None else found[~np.isclose(found, nodata, equal_nan=True)])
    return [np.concatenate(each).astype(np.float64) for each in kept]


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("uint8", None), ("uint16", 0.0), ("int16", -9999.0), ("float32", np.nan)]
)
def test_statistics_are_those_of_all_values_with_data(
    tmp_path: Path, dtype: str, nodata: float | None
) -> None:
    values = files(tmp_path, dtype, nodata)
    paths = sorted(tmp_path.iterdir())
    found = percentiles(paths, SHARES, progress=lambda some: some)
    exact = [np.percentile(each, SHARES, method="inverted_cdf") for each in values]
    np.testing.assert_array_equal(found, np.transpose(exact))
    moments = mean_and_deviation(paths, progress=lambda some: some)
    np.testing.assert_allclose(moments.means, [each.mean() for each in values], rtol=1e-12)
    np.testing.assert_allclose(moments.deviations, [each.std() for each in values], rtol=1e-12)
    np.testing.assert_array_equal(moments.counts, [len(each) for each in values])


def test_files_of_another_kind_and_empty_bands_are_named(tmp_path: Path) -> None:
    write_scene(tmp_path / "a.tif", np.ones((4, 4, 2), np.uint16))
    write_scene(tmp_path / "b.tif", np.ones((4, 4, 2), np.float32))
    with pytest.raises(
        UnreadableImageError, match=r"b\.tif: has 2 bands of float32, and .*a\.tif has 2 of uint16"
    ):
        mean_and_deviation(sorted(tmp_path.iterdir()), progress=lambda some: some)
    empty = write_scene(tmp_path / "c.tif", np.full((4, 4, 1), np.nan, np.float32))
    with pytest.raises(ValueError, match="band 0, counted from 0, has no data"):
        percentiles([empty], [1], progress=lambda some: some)


def test_the_command_writes_what_training_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = files(tmp_path / "scenes", "int16", -9999.0)
    out = tmp_path / "bands.json"
    run(parse([str(tmp_path / "scenes"), "--out", str(out), "--percentiles", "2", "98"]))
    content = json.loads(out.read_text())
    assert content["from"] == {"images": 3, "type": "int16", "percentiles": [2.0, 98.0]}
    low, high = np.transpose([np.percentile(each, [2, 98], method="inverted_cdf") for each in values])
    assert normalisation(str(out)).content == {"low": low.tolist(), "high": high.tolist()}
    assert f"data.normalise={out} channels=2" in capsys.readouterr().out
    run(parse([str(tmp_path / "scenes"), "--out", str(out), "--deviation"]))
    found = normalisation(str(out)).content
    assert found is not None
    np.testing.assert_allclose(found["low"], [each.mean() - 3 * each.std() for each in values])


@pytest.mark.parametrize("shares", [("99", "1"), ("-1", "50"), ("0", "101"), ("nan", "5")])
def test_shares_must_rise_within_a_hundred(tmp_path: Path, shares: tuple[str, str]) -> None:
    with pytest.raises(SystemExit):
        parse([str(tmp_path), "--out", "x.json", "--percentiles", *shares])
