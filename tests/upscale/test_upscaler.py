"""Pictures through a net: all kinds of channels, and scales between those of nets."""

import numpy as np
import pytest
from helpers import picture as smooth
from torch import Tensor, nn
from upscaling import network

from sr.ops.resize import imresize
from sr.pictures.picture import Picture
from sr.upscale.upscaler import Upscaler


def bicubic(image: np.ndarray, scale: float = 2) -> np.ndarray:
    """The independent answer."""
    size = round(image.shape[0] * scale), round(image.shape[1] * scale)
    return imresize(image.astype(np.float64), size=size).clip(0, np.iinfo(image.dtype).max)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_gray_stays_gray_and_16_bit_16_bit(channels: int, dtype: type) -> None:
    image = smooth(40, 30, channels=channels).astype(dtype) * (257 if dtype == np.uint16 else 1)
    result = Upscaler(network=network())(Picture(image, icc=b"profile"))
    assert result.colour.dtype == dtype
    assert result.alpha is None
    assert result.icc == b"profile"
    # Gray goes through the colour net and back: equal to 24 bits of a float32.
    np.testing.assert_allclose(result.colour, bicubic(image), atol=0.51 if dtype == np.uint8 else 0.6)


def test_dark_16_bit_image_is_not_taken_for_8_bit() -> None:
    dark = np.full((8, 8, 3), 200, np.uint16)
    np.testing.assert_array_equal(Upscaler(network=network())(Picture(dark)).colour, 200)


def test_net_for_one_channel_sees_colours_one_by_one() -> None:
    image = smooth(24, 20)
    result = Upscaler(network=network(channels=1))(Picture(image))
    np.testing.assert_allclose(result.colour, bicubic(image), atol=0.51)
    with pytest.raises(ValueError, match="the net is for 5 channels, the image has 3"):
        Upscaler(network=network(channels=5))(Picture(image))


def test_transparent_picture_has_no_halo() -> None:
    """A red disc on transparent black: red to its very edge and beyond, and the disc itself quite opaque."""
    y, x = np.mgrid[:48, :48]
    radius = np.hypot(y - 23.5, x - 23.5)
    alpha = (np.clip(16 - radius, 0, 1) * 255).astype(np.uint8)[:, :, None]
    colour = np.where(alpha > 0, [200, 30, 40], 0).astype(np.uint8)
    result = Upscaler(network=network(scale=4), tile=16)(Picture(colour, alpha))
    assert result.alpha is not None
    assert np.abs(result.colour.astype(int) - [200, 30, 40]).max() <= 1
    far_inside = np.kron(radius < 12, np.ones((4, 4))).astype(bool)
    far_outside = np.kron(radius > 20, np.ones((4, 4))).astype(bool)
    assert (result.alpha[far_inside] == 255).all()
    assert (result.alpha[far_outside] == 0).all()
    assert len(np.unique(result.alpha)) > 50  # the edge is soft


@pytest.mark.parametrize("tile", [0, 11])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7, 3.0])
def test_other_scales_resample_the_result_before_it_is_rounded(scale: float, tile: int) -> None:
    image = smooth(50, 41)
    alpha = smooth(50, 41, channels=1).clip(1, 254)  # all pixels show, none is filled, none is flat
    result = Upscaler(network=network(), scale=scale, tile=tile)(Picture(image, alpha))
    size = round(50 * scale), round(41 * scale)
    assert result.colour.shape == (*size, 3)
    assert result.alpha is not None
    for pixels, original in ((result.colour, image), (result.alpha, alpha)):
        given = imresize(original.astype(np.float64), size=(100, 82))  # not rounded to levels, nor clamped
        expected = imresize(given, size=size).clip(0, 255)
        np.testing.assert_allclose(pixels, expected, atol=0.501)


def test_flat_alpha_stays_flat_at_other_scales() -> None:
    alpha = np.full((40, 30, 1), 255, np.uint8)
    alpha[:20] = 0
    result = Upscaler(network=network(Dimming()), scale=1.5, tile=8)(Picture(smooth(40, 30), alpha))
    assert result.alpha is not None
    assert (result.alpha[:26] == 0).all()
    assert (result.alpha[34:] == 255).all()


class Dimming(nn.Module):
    """Doubles an image and misses white and black by a little."""

    def forward(self, lr: Tensor) -> Tensor:
        return 0.01 + 0.98 * nn.functional.interpolate(lr, scale_factor=2, mode="nearest")


def test_a_scale_that_leaves_nothing_leaves_a_pixel() -> None:
    assert Upscaler(network=network(), scale=0.01)(Picture(smooth(8, 9))).colour.shape == (1, 1, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1)])
def test_extreme_sizes(size: tuple[int, int]) -> None:
    image = smooth(*size)
    result = Upscaler(network=network(), tile=16)(Picture(image)).colour
    np.testing.assert_allclose(result, bicubic(image), atol=0.51)


@pytest.mark.parametrize("tile", ["auto", 16])
def test_images_of_one_size_go_through_the_net_together(tile: int | str) -> None:
    """Frames of a film, whole or in tiles: each has the result that it has alone."""
    images = [smooth(40, 30, seed=seed).astype(np.uint16) * 257 for seed in range(3)]
    upscaler = Upscaler(network=network(), tile=tile)
    together = upscaler.frames(images)
    assert len(together) == 3
    for image, result in zip(images, together, strict=True):
        np.testing.assert_allclose(result, upscaler(Picture(image)).colour, atol=1)
        np.testing.assert_allclose(result, bicubic(image), atol=257 if tile == 16 else 1)


def test_as_many_go_together_as_tiles_would() -> None:
    seen: list[int] = []

    class Counting(nn.Module):
        def forward(self, lr: Tensor) -> Tensor:
            seen.append(len(lr))
            return nn.functional.interpolate(lr, scale_factor=2, mode="nearest")

    upscaler = Upscaler(network=network(Counting()))
    assert upscaler.together(40, 30, most=8) == 8
    assert upscaler.together(64, 64, most=8) == 4  # a CPU takes 128 x 128 pixels at once
    assert upscaler.together(300, 300, most=8) == 1
    upscaler.affordable = 64 * 64
    assert upscaler.together(64, 64, most=8) == 1
    assert upscaler.together(65, 64, most=8) == 1  # which has tiles
    upscaler.affordable = 128 * 128
    seen.clear()
    upscaler.frames([smooth(64, 64)] * 5)
    assert seen == [4, 1]
