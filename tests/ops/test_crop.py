"""Windows of an image."""

import numpy as np
from helpers import picture

from sr.ops.crop import cut, draw_corner, pad_to, trim


def test_mirrored_cut_equals_padding_the_whole_image() -> None:
    image = picture(10, 12)
    padded = np.pad(image, ((5, 5), (5, 5), (0, 0)), mode="symmetric")
    for top, left in ((-5, -5), (-3, 2), (4, 6), (1, 2)):
        np.testing.assert_array_equal(
            cut(image, top, left, 11), padded[top + 5 : top + 16, left + 5 : left + 16]
        )


def test_small_images_are_mirrored() -> None:
    image = picture(5, 9)
    padded = pad_to(image, 8)
    assert padded.shape == (8, 9, 3)
    np.testing.assert_array_equal(padded[5:], image[:1:-1])


def test_corners_reach_every_place_and_no_further() -> None:
    rng = np.random.default_rng(0)
    corners = {draw_corner(picture(10, 12), 9, rng) for _ in range(200)}
    assert corners == {(top, left) for top in range(2) for left in range(4)}


def test_trim_undoes_the_margin_of_a_cut() -> None:
    image = picture(10, 12)
    np.testing.assert_array_equal(trim(cut(image, -2, 3, 11), 3), cut(image, 1, 6, 5))
