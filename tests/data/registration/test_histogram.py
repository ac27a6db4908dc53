"""Values of HR that are distributed as those of LR, without a change of its contrast."""

import numpy as np
import pytest
from shifted_pairs import as_bytes, pair

from sr.data.registration.histogram import matched, value_map
from sr.ops.resize import imresize


def small(image: np.ndarray) -> np.ndarray:
    return imresize(image.astype(np.float32), size=(len(image) // 4, image.shape[1] // 4))


def match(hr: np.ndarray, lr: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    return matched(hr, reduced=small(hr), lr=lr, valid=valid)


def test_hr_of_the_same_sensor_stays_as_it_is() -> None:
    hr, lr = pair()
    assert np.abs(match(hr, lr).astype(int) - hr).max() <= 1
    # LR is narrower than HR, which a match of the two themselves would make of HR.
    assert lr.std() < 0.97 * hr.std()
    assert match(hr, lr).std() == pytest.approx(hr.std(), rel=0.002)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_another_gain_offset_and_gamma_are_taken_over(dtype: str) -> None:
    top = {"uint8": 255, "uint16": 10000, "float32": 0.8}[dtype]
    hr, lr = ((each / 255 * top).astype(dtype) for each in pair())

    def other(values: np.ndarray) -> np.ndarray:
        changed = top * (0.2 + 0.7 * (values.astype(np.float64) / top) ** [0.7, 1.0, 1.4])
        return changed.astype(dtype) if dtype == "float32" else np.rint(changed).astype(dtype)

    before, after = (
        np.abs(each.astype(np.float64) - other(hr)).mean() / top for each in (hr, match(hr, other(lr)))
    )
    assert before > 0.05
    assert after < 0.012
    assert match(hr, other(lr)).dtype == hr.dtype


def test_pixels_without_data_have_no_say() -> None:
    hr, lr = pair()
    valid = np.ones(lr.shape, bool)
    valid[:40] = False
    changed = lr.copy()
    changed[:40] = 255
    np.testing.assert_array_equal(match(hr, changed, valid), match(hr, lr, valid))
    assert (match(hr, changed) != match(hr, lr)).mean() > 0.5
    np.testing.assert_array_equal(match(hr, changed, np.zeros(lr.shape, bool)), hr)


def test_a_map_rises_and_goes_on_beyond_its_knots() -> None:
    rng = np.random.default_rng(0)
    source = rng.normal(100, 20, 5000)
    found = value_map(source, 3 * source + 7)
    values = np.linspace(-100, 400, 501)
    np.testing.assert_allclose(found(values), 3 * values + 7, rtol=1e-9)
    unlike = value_map(source, rng.exponential(50, 4000))
    assert (np.diff(unlike(values)) >= 0).all()


def test_images_of_one_value_are_offset() -> None:
    hr, lr = np.full((16, 16, 1), 90, np.uint8), np.full((4, 4, 1), 140, np.uint8)
    assert (match(hr, lr) == 140).all()
    ramp = as_bytes(np.linspace(80, 100, 256).reshape(16, 16, 1))
    assert (match(ramp, lr) == 140).all()  # LR has no contrast
