import itertools

import numpy as np
import pytest

from sr.data.dead_leaves import _radii, render_dead_leaves


def spectral_slope(image: np.ndarray) -> float:
    """Exponent of the radial power spectrum of log luminance between 1/100 and 1/4 cycles per pixel."""
    size = image.shape[0]
    luminance = np.log(image.mean(axis=-1) + 1)
    window = np.hanning(size)
    power = np.abs(np.fft.fft2((luminance - luminance.mean()) * window * window[:, None])) ** 2
    frequency = np.hypot(np.fft.fftfreq(size), np.fft.fftfreq(size)[:, None])
    edges = np.geomspace(0.01, 0.25, 9)
    rings = [(frequency >= low) & (frequency < high) for low, high in itertools.pairwise(edges)]
    means = [power[ring].mean() for ring in rings]
    return float(np.polyfit(np.log(edges[1:] * edges[:-1]) / 2, np.log(means), 1)[0])


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    first, again, other = (render_dead_leaves(size=96, rng=np.random.default_rng(s)) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.mean(first != other) > 0.9


def test_global_random_state_is_neither_read_nor_moved():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    render_dead_leaves(size=64, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("channels", [1, 3, 4, 6])
def test_shape_dtype_and_every_channel_painted(channels):
    image = render_dead_leaves(size=96, rng=np.random.default_rng(0), channels=channels, min_radius=4.0)
    assert image.shape == (96, 96, channels)
    assert image.dtype == np.uint8
    assert (image.std(axis=(0, 1)) > 5).all()


def test_channels_differ_but_share_their_edges():
    """Chroma varies less than luminance (Ruderman et al.): channels correlate without being equal."""
    image = render_dead_leaves(size=256, rng=np.random.default_rng(0)).reshape(-1, 3)
    correlation = np.corrcoef(image.T)[np.triu_indices(3, 1)]
    assert (correlation > 0.6).all()
    assert (correlation < 0.995).all()


@pytest.mark.parametrize("coverage", [0.01, 3.0])
def test_no_pixel_is_left_uncovered(coverage, monkeypatch):
    """Whatever is in memory before shows through nowhere, even where no leaf falls."""
    canvas = np.empty

    def filled(rubbish):
        def empty(*args, **kwargs):
            array = canvas(*args, **kwargs)
            array[...] = rubbish
            return array

        return empty

    images = []
    for rubbish in (0, 255):
        with monkeypatch.context() as patch:
            patch.setattr("sr.data.dead_leaves.np.empty", filled(rubbish))
            images.append(render_dead_leaves(size=96, rng=np.random.default_rng(1), coverage=coverage))
    np.testing.assert_array_equal(*images)


def test_radii_follow_the_power_law():
    """With density r^-3 a quarter of the leaves exceeds twice the smallest, a sixteenth four times."""
    radii = _radii(area=4e6, low=2.0, high=2000.0, exponent=3.0, rng=np.random.default_rng(0))
    assert len(radii) > 10_000
    assert radii.min() >= 2.0
    assert radii.max() <= 2000.0
    assert np.mean(radii > 4) == pytest.approx(1 / 4, abs=0.02)
    assert np.mean(radii > 8) == pytest.approx(1 / 16, abs=0.01)


def test_number_of_leaves_fills_the_requested_area():
    radii = _radii(area=1e6, low=4.0, high=64.0, exponent=3.0, rng=np.random.default_rng(0))
    assert np.pi * float(np.square(radii).sum()) == pytest.approx(1e6, rel=0.1)


def test_power_spectrum_falls_like_that_of_photographs():
    """Near f^-2 with fine leaves, as Lee et al. derive; 40 photographs of BSDS500 have -2.3 +- 0.4."""
    fine = [
        spectral_slope(
            render_dead_leaves(size=256, rng=np.random.default_rng(s), min_radius=2.0, max_blur=0.0)
        )
        for s in range(3)
    ]
    default = [spectral_slope(render_dead_leaves(size=256, rng=np.random.default_rng(s))) for s in range(4)]
    assert -2.4 < np.mean(fine) < -1.6
    assert -3.2 < np.mean(default) < -2.0


def test_global_blur_is_the_only_difference_between_blur_limits():
    """`max_blur` draws from `rng` last, so that the same seed gives the same scene, sharp or not."""
    sharp, soft = (
        render_dead_leaves(size=128, rng=np.random.default_rng(5), max_blur=b).astype(float)
        for b in (0.0, 6.0)
    )
    assert abs(sharp.mean() - soft.mean()) < 1
    assert np.abs(np.diff(soft, axis=0)).mean() < 0.7 * np.abs(np.diff(sharp, axis=0)).mean()


@pytest.mark.parametrize("min_radius", [0.0, 300.0])
def test_impossible_radii_are_refused_by_name(min_radius):
    with pytest.raises(ValueError, match=f"min_radius={min_radius}"):
        render_dead_leaves(size=64, rng=np.random.default_rng(0), min_radius=min_radius)
