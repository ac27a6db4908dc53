"""Transforms of albumentations as stages."""

import albumentations
import numpy as np
import pytest
from degradation_steps import PHOTO, applied

from sr.degradations.transform import RandomTransform, Transform


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
