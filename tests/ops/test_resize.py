"""MATLAB's imresize, against sums written out by hand."""

import numpy as np
import pytest

from benchmarks.loop_resize import loop_over_taps
from sr.ops import resize
from sr.ops.resize import Resizer, imresize


def cubic(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def reference_row(row: list[float], length: int) -> list[float]:
    """One axis, one output pixel after the other, 1-based coordinates as in MATLAB."""
    factor = length / len(row)
    stretch = min(factor, 1.0)
    mirrored = [*row, *row[::-1]]
    out = []
    for place in range(1, length + 1):
        centre = place / factor + 0.5 * (1 - 1 / factor)
        total = weight_sum = 0.0
        for source in range(int(centre - 4 / stretch) - 2, int(centre + 4 / stretch) + 3):
            weight = cubic((centre - source) * stretch)
            total += weight * mirrored[(source - 1) % len(mirrored)]
            weight_sum += weight
        out.append(total / weight_sum)
    return out


@pytest.mark.parametrize(
    ("length", "resized"), [(24, 6), (24, 8), (25, 10), (6, 24), (5, 15), (3, 24), (16, 2)]
)
def test_every_pixel_of_a_row(length: int, resized: int) -> None:
    row = np.random.default_rng(0).random(length)
    expected = reference_row(row.tolist(), resized)
    image = np.repeat(row[None, :, None], 2, axis=0)
    np.testing.assert_allclose(imresize(image, size=(2, resized))[0, :, 0], expected, atol=1e-12)
    turned = imresize(image.transpose(1, 0, 2), size=(resized, 2))
    np.testing.assert_allclose(turned[:, 0, 0], expected, atol=1e-12)


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_every_pixel_of_an_image_down_and_up(factor: int, channels: int) -> None:
    """Against an implementation that loops over taps, borders included and sizes that do not divide."""
    image = np.random.default_rng(0).random((26, 35, channels))
    for size in ((26 * factor, 35 * factor), (26 // factor, 35 // factor)):
        expected = loop_over_taps(image, size=size)
        np.testing.assert_allclose(imresize(image, size=size), expected, atol=1e-12)
        single = imresize(image.astype(np.float32), size=size)
        np.testing.assert_allclose(single, expected, atol=2e-6)


def test_constant_stays_constant_and_dtype_stays() -> None:
    image = np.full((13, 9, 4), 0.3, np.float32)
    resized = imresize(image, size=(26, 3))
    assert resized.dtype == np.float32
    assert resized.shape == (26, 3, 4)
    np.testing.assert_allclose(resized, 0.3, atol=1e-6)


def test_rows_and_columns_are_not_confused() -> None:
    ramp = np.tile(np.linspace(0, 1, 32)[:, None, None], (1, 8, 1))  # grows downwards
    resized = imresize(ramp, size=(8, 2))
    assert np.all(np.diff(resized[:, 0, 0]) > 0)
    np.testing.assert_allclose(resized[:, 0, 0], resized[:, 1, 0], atol=1e-12)


@pytest.mark.parametrize("bands", [[40], [1] * 40, [3, 30, 0, 7], [39, 1]])
@pytest.mark.parametrize("size", [(17, 90), (100, 33), (7, 5), (1, 1)])
def test_bands_and_strips_equal_the_whole(
    size: tuple[int, int], bands: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In strips of a few rows, growing and shrinking, however the rows come."""
    image = np.random.default_rng(0).random((40, 50, 3)).astype(np.float32)
    whole = loop_over_taps(image.astype(np.float64), size=size)
    for strip in (1, 9, 500):
        monkeypatch.setattr(resize, "STRIP", strip)
        resizer = Resizer(image.shape, size=size, dtype=image.dtype)
        given = np.split(image, np.cumsum(bands)[:-1])
        strips = [made for band in given for made in resizer.add(band)]
        assert [start for start, _ in strips] == list(range(0, size[0], strip))
        np.testing.assert_allclose(np.concatenate([rows for _, rows in strips]), whole, atol=2e-6)


def test_rows_are_kept_no_longer_than_they_are_needed() -> None:
    image = np.zeros((4000, 8, 1), np.float32)
    resizer = Resizer(image.shape, size=(2000, 4), dtype=image.dtype)
    kept = []
    for band in np.split(image, 40):
        list(resizer.add(band))
        kept.append(len(resizer._kept))
    assert max(kept) <= 2 * resize.STRIP + 100  # those of one strip, and a band
    assert kept[-1] == 0
