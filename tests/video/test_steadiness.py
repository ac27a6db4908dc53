"""A still scene stays still, a moving one does not shimmer: films through nets, measured."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn
from upscaling import network

from sr.upscale.upscaler import Upscaler
from sr.video.blend import Shown, blend
from sr.video.steadiness import flicker, shifted

SCALE = 4
STEP = 0.25  # input pixels per frame: one pixel of the result
BORDER = 4  # input pixels: bicubic sees two beyond the border, which it cannot know


def scene(number: int, *, height: int = 48, width: int = 64, step: float = STEP) -> np.ndarray:
    """A periodic, band-limited scene that has moved right by `step` pixels per frame: (H, W, 3) floats in [0, 1]."""
    rows, columns = np.mgrid[:height, :width].astype(float)
    columns = columns - step * number
    waves = [(3, 2), (6, 5), (8, 4)]  # periods across and down in the whole picture
    channels = [
        0.5 + 0.3 * np.sin(2 * np.pi * (across * columns / width + down * rows / height))
        for across, down in waves
    ]
    return np.stack(channels, axis=2)


def levels(image: np.ndarray, *, bits: int = 16) -> np.ndarray:
    """uint16, as coarse as a film of so many bits."""
    top = 2**bits - 1
    return np.rint(np.rint(np.clip(image, 0, 1) * top) * (65535 / top)).astype(np.uint16)


def noisy(count: int, sigma: float) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [levels(scene(0) + rng.normal(0, sigma / 255, (48, 64, 3))) for _ in range(count)]


def enlarged(frames: Sequence[np.ndarray], net: nn.Module | None = None) -> list[np.ndarray]:
    return Upscaler(network=network(net, scale=SCALE)).frames(frames)


def noise_gain() -> float:
    """How bicubic enlarging by 4 amplifies white noise: the root of the mean of the sums of squared weights, from the
    kernel of Keys (1981, eq. 15) with a = -0.5 alone."""

    def kernel(x: float) -> float:
        x = abs(x)
        if x < 1:
            return 1.5 * x**3 - 2.5 * x**2 + 1
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0

    phases = [(place + 0.5) / SCALE - 0.5 for place in range(SCALE)]
    sums = [sum(kernel(phase - tap) ** 2 for tap in range(-3, 4)) for phase in phases]
    return float(np.mean(np.sqrt(np.outer(sums, sums))))


def test_a_still_scene_without_noise_does_not_change_at_all() -> None:
    results = enlarged([levels(scene(0))] * 5)
    assert flicker(results) == 0


def test_a_still_noisy_scene_flickers_no_more_than_its_input_times_the_gain_of_the_scale() -> None:
    frames = noisy(8, sigma=2)
    given = flicker(frames)
    assert given == pytest.approx(2 * 257 * 2 / np.sqrt(np.pi), rel=0.02)  # 2 sigma / sqrt(pi)
    assert noise_gain() == pytest.approx(0.809, abs=0.001)
    found = flicker(enlarged(frames), border=BORDER * SCALE)
    assert found <= given * noise_gain() * 1.02
    assert found == pytest.approx(given * noise_gain(), rel=0.05)


class Sharpening(nn.Module):
    """Takes as much detail for signal as it finds: a net that makes flicker of noise."""

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        blurred = nn.functional.avg_pool2d(lr, 3, stride=1, padding=1, count_include_pad=False)
        return nn.functional.interpolate(lr + 2 * (lr - blurred), scale_factor=SCALE, mode="nearest")


def test_a_net_that_amplifies_noise_is_found() -> None:
    frames = noisy(4, sigma=2)
    assert flicker(enlarged(frames, Sharpening()), border=16) > 2 * flicker(frames) * noise_gain()


@pytest.mark.parametrize("bits", [8, 10])
def test_a_pan_by_a_quarter_of_a_pixel_is_a_pan_by_one(bits: int) -> None:
    frames = [levels(scene(number), bits=bits) for number in range(8)]
    given = flicker(frames, motion=(0, STEP), border=BORDER)
    found = flicker(enlarged(frames), motion=(0, STEP * SCALE), border=BORDER * SCALE)
    # Rounding to levels is the input's only flicker; what bicubic adds in other phases is below half a level of 8 bits.
    assert given < 257 * 256 / 2**bits
    assert found <= given * noise_gain() + 257 * 0.5


def test_nearest_neighbours_shimmer_in_a_pan() -> None:
    frames = [levels(scene(number)) for number in range(8)]
    net = nn.Upsample(scale_factor=SCALE, mode="nearest")
    found = flicker(enlarged(frames, net), motion=(0, STEP * SCALE), border=BORDER * SCALE)
    assert found > 257 * 3  # the measure sees what an eye sees


def test_blending_takes_the_flicker_of_noise_away() -> None:
    """Three frames of weights w, 1, w: the change between two results is that of (w, 1-w, w-1, -w) / (1 + 2w)."""
    frames = noisy(16, sigma=1)
    results = enlarged(frames)
    shown = [Shown(frame, result) for frame, result in zip(frames, results, strict=True)]
    for weight, expected in ((0.5, 0.354), (1.0, 1 / 3)):
        theory = np.sqrt(weight**2 + (1 - weight) ** 2) / (1 + 2 * weight)
        assert theory == pytest.approx(expected, abs=1e-3)
        mixed = [
            blend(before, now, after, weight=weight)
            for before, now, after in zip(shown, shown[1:], shown[2:], strict=False)
        ]
        share = flicker(mixed) / flicker(results[1:-1])
        assert share == pytest.approx(theory, rel=0.04)


def test_shifting_in_the_fourier_domain() -> None:
    assert np.abs(shifted(scene(0), (0, STEP)) - scene(1)).max() < 1e-9
    assert np.array_equal(shifted(scene(0), (3, -2)), np.roll(scene(0), (3, -2), axis=(0, 1)))
    assert flicker([scene(0), scene(1)], motion=(0, STEP)) < 1e-9
    assert flicker([scene(0), scene(1)]) > 0.01
    with pytest.raises(ValueError, match="there are 1"):
        flicker([scene(0)])
