"""Neighbouring frames are mixed where the film stands still, and not over a cut."""

import numpy as np
import pytest

from sr.video.blend import Shown, blend
from sr.video.scene import is_cut


def picture(seed: int, *, height: int = 48, width: int = 64) -> np.ndarray:
    """A random scene of soft patches, each a region of an image."""
    rng = np.random.default_rng(seed)
    cells = rng.uniform(8000, 56000, (6, 8, 3))
    return cells.repeat(height // 6, 0).repeat(width // 8, 1).astype(np.uint16)


def shown(source: np.ndarray, result: float) -> Shown:
    return Shown(source, np.full((source.shape[0] * 2, source.shape[1] * 2, 3), result, np.uint16))


def test_where_nothing_moves_the_mean_is_weighted() -> None:
    scene = picture(0)
    mixed = blend(shown(scene, 1000), shown(scene, 2000), shown(scene, 6000), weight=0.5)
    assert np.unique(mixed).tolist() == [(2000 + 0.5 * (1000 + 6000)) / 2]
    assert np.unique(blend(None, shown(scene, 2000), shown(scene, 6000), weight=1)).tolist() == [4000]
    assert np.unique(blend(None, shown(scene, 2000), None, weight=1)).tolist() == [2000]


def test_what_moves_is_left_alone() -> None:
    still, moved = picture(0), picture(0)
    moved[:, 32:40] += 12 * 257
    mixed = blend(shown(still, 1000), shown(moved, 3000), None, weight=1)
    assert np.unique(mixed[:, 70:74]).tolist() == [3000]
    assert np.unique(mixed[:, :50]).tolist() == [2000]
    assert set(np.unique(mixed)) - {2000, 3000}  # a soft border between them


def test_two_scenes_are_not_mixed_where_they_happen_to_agree() -> None:
    one, other = picture(0), picture(1)
    other[:, :24] = one[:, :24]  # a third of the picture is equal
    assert is_cut(one, other)
    assert np.unique(blend(shown(one, 1000), shown(other, 3000), None, weight=1)).tolist() == [3000]


def test_cuts() -> None:
    scene = picture(0)
    assert not is_cut(scene, scene)
    assert not is_cut(scene, (scene * 0.8).astype(np.uint16))  # a fade
    assert not is_cut(scene, np.roll(scene, 2, axis=1))  # a pan
    noise = np.random.default_rng(0).normal(0, 2000, scene.shape)
    assert not is_cut(scene, (scene + noise).clip(0, 65535).astype(np.uint16))
    assert [is_cut(picture(n), picture(n + 1)) for n in range(20)] == [True] * 20
    flat = np.full_like(scene, 30000)
    assert not is_cut(flat, flat + 1000)
    assert is_cut(flat, flat + 20000)
    assert is_cut(flat, scene)


@pytest.mark.parametrize("channels", [1, 3])
def test_small_and_gray(channels: int) -> None:
    scene = picture(0)[:3, :5, :channels]
    result = np.full((6, 10, channels), 7, np.uint16)
    assert blend(Shown(scene, result), Shown(scene, result), None, weight=1).shape == (6, 10, channels)
