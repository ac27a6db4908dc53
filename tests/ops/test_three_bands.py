"""Three bands of many."""

import pytest
import torch

from sr.ops.three_bands import check_bands, checked_bands, three_of


def test_the_chosen_bands_come_in_their_order() -> None:
    images = torch.arange(5.0).reshape(1, 5, 1, 1)
    assert three_of(images, [3, 2, 0], key="k").flatten().tolist() == [3, 2, 0]
    assert three_of(images, None, key="k") is images


@pytest.mark.parametrize("bands", [[0, 1], [0, 1, -1], [0, 1, 1.5], [True, 0, 1]])
def test_other_choices_are_refused(bands: list) -> None:
    with pytest.raises(ValueError, match="name three bands, counted from 0"):
        checked_bands(bands, key="loss.lpips.loss.bands")


def test_images_must_have_the_bands() -> None:
    check_bands(None, channels=3, key="k")
    check_bands([0, 0, 0], channels=1, key="k")
    with pytest.raises(ValueError, match=r"k=\[4, 1, 0\]: images of channels=4 have the bands 0 to 3"):
        check_bands([4, 1, 0], channels=4, key="k")
    with pytest.raises(ValueError, match=r"channels=4: .* k=\[2, 1, 0\] chooses them"):
        check_bands(None, channels=4, key="k")
