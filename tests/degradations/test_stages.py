"""What each stage does to an image, and what it refuses."""

import math
from typing import Any

import albumentations
import cv2
import numpy as np
import pytest
from helpers import picture
from scipy import stats

from sr.degradations.blur import Blur, RandomBlur, RandomSinc, Sinc
from sr.degradations.compression import Jpeg, RandomJpeg, RandomWebp, Webp
from sr.degradations.noise import GaussianNoise, PoissonNoise, RandomNoise
from sr.degradations.resize import MODES, MatlabBicubic, RandomResize, Resize, ResizeToLR
from sr.degradations.sharpen import UnsharpMask
from sr.degradations.step import Step
from sr.degradations.transform import RandomTransform, Transform
from sr.ops.image import quantize, to_float

HR_SIZE = (48, 64)
GRAY = np.full((*HR_SIZE, 3), 100 / 255, np.float32)
PHOTO = to_float(picture(*HR_SIZE))


def applied(step: Step, image: np.ndarray = PHOTO) -> np.ndarray:
    return step(image, hr_size=HR_SIZE)


BLURS = [
    Blur(family="iso", size=21, sigma_x=2.0),
    Blur(family="aniso", size=7, sigma_x=3.0, sigma_y=0.2, rotation=1.0),
    Blur(family="generalized_aniso", size=13, sigma_x=3.0, sigma_y=0.5, rotation=-2.0, beta=0.5),
    Blur(family="plateau_iso", size=9, sigma_x=1.0, beta=2.0),
    Sinc(size=21, cutoff=math.pi / 3),
]
RESIZES = [Resize(fraction=fraction, mode=mode) for fraction in (0.3, 1.4) for mode in MODES]


@pytest.mark.parametrize("step", [*BLURS, *RESIZES, MatlabBicubic(scale=4)], ids=repr)
def test_a_flat_gray_image_stays_flat(step: Step) -> None:
    np.testing.assert_allclose(applied(step, GRAY), 100 / 255, atol=2e-6)


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize(
    "step",
    [
        *BLURS[:2],
        *RESIZES,
        GaussianNoise(sigma=5.0, color="color", seed=0),
        GaussianNoise(sigma=5.0, color="gray", seed=0),
        GaussianNoise(sigma=5.0, color="correlated", seed=0),
        PoissonNoise(strength=1.0, color="color", seed=0),
        PoissonNoise(strength=1.0, color="gray", seed=0),
    ],
    ids=repr,
)
def test_any_number_of_channels(step: Step, channels: int) -> None:
    image = np.full((*HR_SIZE, channels), 0.5, np.float32)
    result = applied(step, image)
    assert result.shape[2] == channels
    assert result.dtype == np.float32


# Blur


def test_blur_is_the_correlation_with_its_kernel() -> None:
    step = BLURS[1]
    padded = np.pad(PHOTO, ((3, 3), (3, 3), (0, 0)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (7, 7), axis=(0, 1))
    expected = np.einsum("hwcij,ij->hwc", windows, step.kernel)
    np.testing.assert_allclose(applied(step), expected, atol=1e-5)


def test_a_beta_range_on_one_side_of_one_is_respected() -> None:
    for low, high in ((0.5, 0.8), (1.5, 2.0)):
        stage = RandomBlur(families={"plateau_iso": 1.0}, sigma=[1, 2], plateau_beta=[low, high])
        drawn = [stage.draw(np.random.default_rng(number)) for number in range(50)]
        assert all(isinstance(step, Blur) and step.beta and low <= step.beta <= high for step in drawn)


# Resize


def test_resize_is_to_a_fraction_of_hr_whatever_was_in_between() -> None:
    assert applied(Resize(fraction=1 / 3, mode="area"), PHOTO[:7, :9]).shape == (16, 21, 3)
    assert Resize(fraction=1 / 3, mode="area")(PHOTO, hr_size=(402, 402)).shape == (134, 134, 3)
    assert applied(Resize(fraction=0.001, mode="nearest")).shape == (1, 1, 3)


def test_area_is_the_mean_and_nearest_a_pixel_of_the_middle() -> None:
    blocks = PHOTO.reshape(12, 4, 16, 4, 3)
    area = applied(Resize(fraction=0.25, mode="area"))
    np.testing.assert_allclose(area, blocks.mean(axis=(1, 3)), atol=1e-6)
    np.testing.assert_array_equal(applied(Resize(fraction=0.25, mode="nearest")), blocks[:, 2, :, 2])


def test_to_lr_is_one_scale_th() -> None:
    for scale in (1, 2, 3, 4):
        step = ResizeToLR(scale=scale).draw(np.random.default_rng(0))
        assert applied(step).shape == (48 // scale, 64 // scale, 3)


# Noise


@pytest.mark.parametrize("color", ["color", "gray"])
def test_gaussian_noise_is_normal_with_its_sigma(color: str) -> None:
    flat = np.full((200, 200, 3), 0.5, np.float32)
    noise = (GaussianNoise(sigma=10.0, color=color, seed=3)(flat, hr_size=(1, 1)) - 0.5) * 255
    assert abs(noise.std() - 10) < 0.15
    assert abs(noise.mean()) < 0.15
    assert stats.kstest(noise[::3, ::3, 0].ravel(), stats.norm(0, 10).cdf).pvalue > 1e-3
    same = np.array_equal(noise[:, :, 0], noise[:, :, 1])
    assert same == (color == "gray")


def test_correlated_noise_is_correlated() -> None:
    flat = np.full((200, 200, 3), 0.5, np.float32)
    noise = GaussianNoise(sigma=10.0, color="correlated", seed=3)(flat, hr_size=(1, 1)) - 0.5
    correlation = np.corrcoef(noise.reshape(-1, 3).T)
    off_diagonal = np.abs(correlation[np.triu_indices(3, 1)])
    assert 0.05 < off_diagonal.max() < 0.999


@pytest.mark.parametrize("level", [1, 20, 128, 250])
def test_poisson_noise_has_the_distribution_of_its_mean(level: int) -> None:
    """The peak is 2^ceil(log2(distinct levels)): 256 here."""
    ramp = np.arange(256, dtype=np.float32).repeat(300)[:, None, None].repeat(3, axis=2) / 255
    noisy = PoissonNoise(strength=0.25, color="color", seed=5)(ramp, hr_size=(1, 1))
    at = ramp[:, 0, 0] == np.float32(level / 255)
    counts = ((noisy[at] - level / 255) / 0.25 + level / 255) * 256
    mean = level / 255 * 256
    kept = (noisy[at] > 0) & (noisy[at] < 1)
    np.testing.assert_allclose(counts[kept], counts[kept].round(), atol=0.02)
    if kept.all():
        assert abs(counts.mean() - mean) < 4 * math.sqrt(mean / counts.size)
        assert abs(counts.var() / mean - 1) < 0.2
        found = np.sort(counts.round().ravel())
        cdf = np.searchsorted(found, np.arange(600), side="right") / found.size
        assert np.abs(cdf - stats.poisson(mean).cdf(np.arange(600))).max() < 0.06


def test_poisson_noise_of_an_image_with_few_levels_is_strong() -> None:
    """Two levels give a peak of 2: the noise of so few photons."""
    two = np.where(np.arange(400)[:, None, None] % 2, 0.4, 0.6).repeat(100, 1).repeat(3, 2).astype(np.float32)
    noise = PoissonNoise(strength=0.1, color="color", seed=0)(two, hr_size=(1, 1)) - two
    expected = 0.1 * math.sqrt((102 / 255 / 2 + 153 / 255 / 2) / 2)  # variance of k / peak is mean / peak
    assert abs(noise.std() / expected - 1) < 0.03


def test_gray_poisson_noise_is_the_same_in_all_channels() -> None:
    noise = PoissonNoise(strength=0.2, color="gray", seed=0)(PHOTO * 0.5 + 0.2, hr_size=(1, 1)) - (
        PHOTO * 0.5 + 0.2
    )
    np.testing.assert_allclose(noise[:, :, 0], noise[:, :, 2], atol=1e-6)
    assert noise.std() > 0.005


def test_noise_stays_in_range() -> None:
    for step in (
        GaussianNoise(sigma=200.0, color="color", seed=0),
        PoissonNoise(strength=3.0, color="color", seed=0),
    ):
        result = applied(step)
        assert result.min() == 0
        assert result.max() == 1


# Compression


@pytest.mark.parametrize("quality", [30, 60, 95])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
def test_jpeg_is_the_codec_called_directly(quality: int, subsampling: str) -> None:
    """Pillow brings its own libjpeg; the pixels agree but for what two decoders round differently."""
    from io import BytesIO

    from PIL import Image

    levels = picture(64, 80)
    buffer = BytesIO()
    Image.fromarray(levels).save(
        buffer,
        "JPEG",
        quality=quality,
        subsampling={"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}[subsampling],
    )
    direct = np.asarray(Image.open(buffer)).astype(int)
    ours = (Jpeg(quality=quality, subsampling=subsampling)(to_float(levels), hr_size=(1, 1)) * 255).round()
    assert np.abs(ours - direct).max() <= 2
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    if subsampling == "4:2:0":  # what OpenCV does when it is not asked
        encoded = cv2.imencode(".jpg", levels[:, :, ::-1], settings)[1]
        np.testing.assert_array_equal(ours, cv2.imdecode(encoded, cv2.IMREAD_COLOR)[:, :, ::-1])


def test_chroma_subsampling_blurs_colour_and_not_brightness() -> None:
    stripes = np.zeros((32, 32, 3), np.float32)
    stripes[:, ::2, 0] = stripes[:, 1::2, 2] = 1  # red and blue columns
    errors = {
        name: np.abs(Jpeg(quality=95, subsampling=name)(stripes, hr_size=(1, 1)) - stripes).mean()
        for name in ("4:4:4", "4:2:0")
    }
    assert errors["4:2:0"] > 5 * errors["4:4:4"]


def test_lower_quality_is_worse() -> None:
    for kind in (Jpeg, Webp):
        errors = [np.abs(applied(kind(quality=quality)) - PHOTO).mean() for quality in (95, 60, 20)]
        assert errors == sorted(errors)
        assert errors[-1] > 2 * errors[0]


def test_gray_jpeg() -> None:
    gray = PHOTO[:, :, :1]
    assert applied(Jpeg(quality=90), gray).shape == gray.shape
    assert np.abs(applied(Jpeg(quality=90), gray) - gray).mean() < 0.02


def test_a_codec_rounds_and_clips_as_a_file_does() -> None:
    overshoot = GRAY + np.linspace(-1, 1, 64, dtype=np.float32)[None, :, None]
    np.testing.assert_array_equal(
        applied(Jpeg(quality=80), overshoot), applied(Jpeg(quality=80), quantize(overshoot))
    )


def test_jpeg_of_five_bands_is_refused() -> None:
    with pytest.raises(ValueError, match=r"channels=5: \.jpg holds 1 \(gray\) or 3"):
        applied(Jpeg(quality=80), np.zeros((8, 8, 5), np.float32))


# albumentations


def test_any_albumentations_transform_is_a_stage() -> None:
    stage = RandomTransform(
        transform=albumentations.RandomBrightnessContrast(brightness_limit=(0.2, 0.2), p=1)
    )
    step = stage.draw(np.random.default_rng(0))
    brighter = applied(step)
    assert brighter.mean() > PHOTO.mean() + 0.1
    np.testing.assert_array_equal(brighter, applied(Transform(description=step.description, seed=step.seed)))


def test_its_own_probability_counts() -> None:
    stage = RandomTransform(transform=albumentations.ISONoise(p=0.25))
    rng = np.random.default_rng(0)
    changed = [not np.array_equal(applied(stage.draw(rng)), PHOTO) for _ in range(200)]
    assert 0.15 < np.mean(changed) < 0.35


def test_an_unknown_argument_is_an_error() -> None:
    with pytest.warns(UserWarning):
        transform = albumentations.ISONoise(p=0.5, strength=3)
    with pytest.raises(ValueError, match="strength"):
        RandomTransform(transform=transform)


def test_a_transform_that_changes_the_size_is_an_error() -> None:
    step = RandomTransform(transform=albumentations.Resize(10, 10)).draw(np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"must keep the size: \(48, 64, 3\) became \(10, 10, 3\)"):
        applied(step)


# Bad input

BLUR: dict[str, Any] = {"families": {"iso": 1.0}, "sigma": [1, 2]}
RESIZE: dict[str, Any] = {"directions": {"up": 0.5, "down": 0.5}, "factor": [0.5, 2]}
NOISE: dict[str, Any] = {
    "gaussian_probability": 0.5,
    "sigma": [1, 2],
    "poisson_strength": [1, 2],
    "gray_probability": 0.4,
}


@pytest.mark.parametrize(
    ("stage", "settings", "message"),
    [
        (RandomBlur, BLUR | {"families": {"iso": 0.5}}, r"families={iso: 0.5} must sum to 1, not to 0.5"),
        (RandomBlur, BLUR | {"families": {"box": 1.0}}, r"families.box is unknown: choose from iso, aniso"),
        (
            RandomBlur,
            BLUR | {"families": {"iso": 1.5, "aniso": -0.5}},
            r"families.iso=1.5 must be in \[0, 1\]",
        ),
        (RandomBlur, BLUR | {"sigma": [3, 0.2]}, r"sigma=\[3, 0.2\] is reversed: write \[0.2, 3\]"),
        (RandomBlur, BLUR | {"sigma": [0, 3]}, r"sigma=\[0, 3\] must lie in \[0.01, inf\]"),
        (RandomBlur, BLUR | {"sigma": [3]}, r"sigma=\[3\] must be two numbers"),
        (RandomBlur, BLUR | {"size": [6, 21]}, r"size=\[6, 21\] must be odd"),
        (RandomBlur, BLUR | {"sinc_probability": 2}, r"sinc_probability=2 must be in \[0, 1\]"),
        (RandomSinc, {"probability": 1, "cutoff": [1, 4]}, r"cutoff=\[1, 4\] must lie in \[0.1, 3.14159\]"),
        (
            RandomResize,
            RESIZE | {"directions": {"side": 1}},
            r"directions.side is unknown: choose from up, down",
        ),
        (RandomResize, RESIZE | {"factor": [1.2, 2]}, r"factor=\[1.2, 2\] must reach from below 1"),
        (RandomResize, RESIZE | {"modes": ["lanczos"]}, r"modes='lanczos' is unknown: choose from area"),
        (RandomResize, RESIZE | {"modes": []}, r"modes=\[\] must name at least one of area"),
        (ResizeToLR, {"scale": 4, "modes": ["cubic"]}, r"modes='cubic' is unknown"),
        (MatlabBicubic, {"scale": 0}, r"scale=0 must be 1 or more"),
        (RandomNoise, NOISE | {"sigma": [30, 1]}, r"sigma=\[30, 1\] is reversed"),
        (
            RandomNoise,
            NOISE | {"correlated_probability": 0.7},
            r"correlated_probability=0.7 must not sum to more than 1",
        ),
        (RandomJpeg, {"quality": [0, 50]}, r"quality=\[0, 50\] must lie in \[1, 100\]"),
        (
            RandomJpeg,
            {"quality": [30, 95], "subsampling": {"4:1:1": 1}},
            r"subsampling.4:1:1 is unknown: choose",
        ),
        (RandomJpeg, {"quality": 30}, r"quality=30 must be two numbers"),
        (RandomJpeg, {"quality": ["a", "b"]}, r"quality=\['a', 'b'\] must be two numbers"),
        (RandomJpeg, {"quality": [30.7, 31.2]}, r"quality=\[30.7, 31.2\] must be whole numbers"),
        (RandomJpeg, {"quality": [30, 95], "probability": "often"}, r"probability=often must be in"),
        (ResizeToLR, {"scale": 0}, r"scale=0 must be 1 or more"),
        (RandomResize, RESIZE | {"scale": 0}, r"scale=0 must be 1 or more"),
        (RandomWebp, {"quality": [95, 30]}, r"quality=\[95, 30\] is reversed"),
        (UnsharpMask, {"threshold": -1}, r"sharpen.threshold=-1 must be 0 or more"),
        (UnsharpMask, {"weight": -1}, r"sharpen.weight=-1 must be 0 or more"),
    ],
)
def test_bad_settings_name_key_value_and_choices(stage: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stage(**settings)
