"""Where chroma lies."""

import numpy as np
import pytest

from sr.video.chroma import Sampling, downsample, upsample


def wave(places: np.ndarray) -> np.ndarray:
    return np.sin(places * 2 * np.pi / 40).astype(np.float32)


@pytest.mark.parametrize(("across", "left"), [(2, True), (2, False), (4, True)])
def test_samples_are_put_where_they_lie(across: int, left: bool) -> None:
    """A wave that is sampled at the places of chroma is found at the places of luma."""
    places = np.arange(40) * across + (0 if left else (across - 1) / 2)
    full = upsample(np.tile(wave(places), (3, 1)), Sampling(across, 1, left=left), size=(3, 40 * across))
    inner = slice(8, -8)
    assert np.abs(full[:, inner] - wave(np.arange(40 * across))[inner]).max() < 0.06
    wrong = wave(np.arange(40 * across) + 0.5)  # half a sample off would be seen
    assert np.abs(full[:, inner] - wrong[inner]).max() > 0.06


@pytest.mark.parametrize("left", [True, False])
def test_thinning_out_takes_the_value_at_the_place(left: bool) -> None:
    thin = downsample(np.tile(wave(np.arange(80)), (2, 1)), Sampling(2, 1, left=left))
    places = np.arange(40) * 2 + (0 if left else 0.5)
    assert np.abs(thin[:, 3:-3] - wave(places)[3:-3]).max() < 0.01


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 6, 9, 16])
def test_on_samples_thinning_out_is_the_inverse(width: int) -> None:
    chroma = np.random.default_rng(width).random((4, -(-width // 2))).astype(np.float32)
    full = upsample(chroma, Sampling(2, 1), size=(4, width))
    assert full.shape == (4, width)
    assert np.abs(downsample(full, Sampling(2, 1)) - chroma).max() < 1e-6


def test_along_the_height_it_lies_in_the_middle() -> None:
    chroma = np.tile(wave(np.arange(20) * 2 + 0.5)[:, None], (1, 6))
    full = upsample(chroma, Sampling(2, 2), size=(39, 11))  # an odd film
    assert full.shape == (39, 11)
    assert np.abs(full[4:-4] - wave(np.arange(39))[4:-4, None]).max() < 0.03
    assert downsample(full, Sampling(2, 2)).shape == (20, 6)
