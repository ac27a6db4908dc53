"""What all stages share: flat images stay flat, any number of channels, and bad settings are named."""

from typing import Any

import numpy as np
import pytest
from degradation_steps import BLURS, GRAY, HR_SIZE, applied

from sr.degradations.blur import RandomBlur, RandomSinc
from sr.degradations.compression import RandomJpeg, RandomWebp
from sr.degradations.noise import GaussianNoise, PoissonNoise, RandomNoise
from sr.degradations.resize import MODES, MatlabBicubic, RandomResize, Resize, ResizeToLR
from sr.degradations.sharpen import UnsharpMask
from sr.degradations.step import Step

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
