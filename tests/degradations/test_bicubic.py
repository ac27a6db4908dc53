import numpy as np
import pytest
from helpers import picture

from sr.degradations.bicubic import BicubicDegradation
from sr.ops.image import to_float


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_a_patch_with_margin_degrades_as_the_whole_image(scale: int) -> None:
    degradation = BicubicDegradation(scale=scale)
    rng = np.random.default_rng(0)
    side = 16 * scale
    hr = to_float(picture(side, side))
    whole = degradation.draw(rng).apply(hr)
    start, size, margin = 4 * scale, 6 * scale, degradation.margin
    window = hr[start - margin : start + size + margin, start - margin : start + size + margin]
    patch = degradation.draw(rng).apply(window)[2:-2, 2:-2]
    np.testing.assert_array_equal(patch, whole[4:10, 4:10])


def test_output_is_what_an_eight_bit_file_holds() -> None:
    lr = BicubicDegradation(scale=4).draw(np.random.default_rng(0)).apply(to_float(picture(32, 48)))
    assert lr.shape == (8, 12, 3)
    np.testing.assert_allclose(lr * 255, (lr * 255).round(), atol=1e-4)


def test_scale_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="scale=0"):
        BicubicDegradation(scale=0)
