"""Blurs are correlations with their kernels."""

import numpy as np
from degradation_steps import BLURS, PHOTO, applied

from sr.degradations.blur import Blur, RandomBlur


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
