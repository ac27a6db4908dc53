"""Windows of a pair: where they lie, and what they say together."""

import cv2
import numpy as np
import pytest
import torch
from shifted_pairs import as_bytes, moved_by_fourier, pair

from sr.data.registration import alignment
from sr.data.registration.alignment import Alignment, measure_pair
from sr.data.registration.side import Side
from sr.data.registration.verdict import ALIGNED, SHIFTED, UNDECIDED, UNEVEN, verdict
from sr.ops.resize import imresize

SIDE = 256  # LR pixels: four windows


def measured(hr: np.ndarray, lr: np.ndarray, **options: int) -> Alignment:
    return measure_pair(Side(hr), Side(lr), scale=4, **options)


def lr_of(hr: np.ndarray) -> np.ndarray:
    return as_bytes(imresize(hr.astype(np.float64), size=(len(hr) // 4, hr.shape[1] // 4)))


@pytest.mark.parametrize(
    ("dtype", "gain", "offset"),
    [("uint8", 1, 0), ("uint16", 40, 0), ("int16", 40, -5000), ("float32", 1e-4, -0.1)],
)
def test_a_pair_of_any_type_is_measured(dtype: str, gain: float, offset: float) -> None:
    hr, lr = ((each.astype(np.float64) * gain + offset).astype(dtype) for each in pair(0.4, -0.3))
    found = measured(hr, lr)
    assert (found.down, found.right) == pytest.approx((0.4, -0.3), abs=0.03)
    assert (found.windows, found.decided, found.spread) == (1, 1, 0)
    assert found.distance == pytest.approx(0.5, abs=0.03)
    assert 0 < found.error < 0.02


def test_rows_of_hr_that_lr_lacks_are_left_out() -> None:
    hr, lr = pair(0.4, -0.3)
    more = np.pad(hr, ((0, 3), (0, 2), (0, 0)), mode="reflect")
    assert measured(more, lr) == measured(hr, lr)


@pytest.mark.parametrize(
    ("size", "most", "places"),
    [
        ((100, 128), 3, [(0, 0)]),
        ((200, 300), 3, [(36, 0), (36, 172)]),
        ((300, 200), 1, [(86, 36)]),
        ((4000, 4000), 2, [(0, 0), (0, 3872), (3872, 0), (3872, 3872)]),
    ],
)
def test_windows_are_few_and_spread(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], most: int, places: list[tuple[int, int]]
) -> None:
    seen: list[tuple[int, int]] = []

    def window(hr: Side, lr: Side, top: int, left: int, scale: int) -> None:
        seen.append((top, left))

    monkeypatch.setattr(alignment, "_window", window)
    lr = Side(np.broadcast_to(np.uint8(0), (*size, 1)))
    assert measure_pair(lr, lr, scale=1, most=most) == Alignment(len(places))
    assert seen == places


def test_windows_that_say_nothing_leave_it_to_the_others() -> None:
    hr, lr = pair(0.5, 0.25, side=SIDE)
    lr[:140, :140] = 200  # a cloud
    found = measured(hr, lr)
    assert (found.windows, found.decided) == (4, 3)
    assert (found.down, found.right) == pytest.approx((0.5, 0.25), abs=0.03)
    assert verdict(found, scale=4) == SHIFTED
    lr[:] = 200
    assert measured(hr, lr) == Alignment(4)
    assert verdict(measured(hr, lr), scale=4) == UNDECIDED


def test_no_data_and_masks_are_no_content() -> None:
    hr, lr = pair(0.5, 0.25)
    hole = np.ones(hr.shape[:2], bool)
    hole[40:160, 100:300] = False
    hr[~hole], lr[80:120, 20:70] = 0, 0
    without = measured(hr, lr)
    by_value = measure_pair(Side(hr, 0.0), Side(lr, 0.0), scale=4)
    by_mask = measure_pair(Side(hr, None, hole), Side(lr, 0.0), scale=4)
    for found in (by_value, by_mask):
        assert (found.down, found.right) == pytest.approx((0.5, 0.25), abs=0.03)
        assert found.error < without.error
    nothing = np.zeros((*hr.shape[:2], 1), np.uint8)
    assert not measure_pair(Side(nothing, 0.0), Side(lr, 0.0), scale=4).decided
    missing = np.full(hr.shape, np.nan, np.float32)
    assert not measure_pair(Side(missing), Side(lr), scale=4).decided


def test_what_is_no_shift_alone_differs_within_the_image() -> None:
    hr, lr = pair(side=SIDE)
    assert verdict(measured(hr, lr), scale=4) == ALIGNED
    batch = torch.from_numpy(hr.astype(np.float32)).permute(2, 0, 1)[None]
    corners = torch.nn.functional.interpolate(batch, size=(SIDE, SIDE), mode="bicubic", align_corners=True)
    turn = cv2.getRotationMatrix2D((2 * SIDE, 2 * SIDE), 0.1, 1)
    turned = cv2.warpAffine(hr.astype(np.float32), turn, hr.shape[:2], flags=cv2.INTER_CUBIC)
    for unlike in (as_bytes(corners[0].permute(1, 2, 0).numpy()), lr_of(turned)):
        found = measured(hr, unlike)
        assert found.distance < 0.05  # on the whole they lie right
        assert found.spread > 0.15
        assert verdict(found, scale=4) == UNEVEN
    # 3/8 LR pixels at the border, and at the centre of a window of half of the side half of that, along both axes.
    found = measured(hr, as_bytes(corners[0].permute(1, 2, 0).numpy()))
    assert found.spread + 2 * found.error == pytest.approx(np.hypot(3 / 16, 3 / 16), abs=0.04)


def test_noise_is_no_difference_within_the_image() -> None:
    hr, lr = pair(side=SIDE)
    noisy = as_bytes(lr + np.random.default_rng(0).normal(size=lr.shape) * 40)
    found = measured(hr, noisy)
    assert found.error > 0.02 and found.decided >= 2
    assert verdict(found, scale=4) == ALIGNED


def test_a_shift_beyond_a_window_s_half_is_not_taken_for_another() -> None:
    hr, _ = pair()
    far = as_bytes(moved_by_fourier(lr_of(hr), 64, 64))
    found = measured(hr, far)
    assert not found.decided or found.distance > 60
