"""Sobel's two derivatives."""

from torch import Tensor

from sr.ops.shifted_sum import shifted_sum

SMOOTHING, DIFFERENCE = (1.0, 2.0, 1.0), (-1.0, 0.0, 1.0)


def sobel(images: Tensor) -> tuple[Tensor, Tensor]:
    """(N, C, H, W) -> along x and along y, both (N, C, H - 2, W - 2): 8 times the slope per pixel.

    Source: Sobel and Feldman, 1968, as in Duda and Hart, "Pattern Classification and Scene Analysis", 1973: rows (-1,
    0, 1), (-2, 0, 2), (-1, 0, 1) and their transpose, at the places where all of it lies inside the image.
    """
    along_x = shifted_sum(shifted_sum(images, DIFFERENCE, dim=3), SMOOTHING, dim=2)
    along_y = shifted_sum(shifted_sum(images, SMOOTHING, dim=3), DIFFERENCE, dim=2)
    return along_x, along_y
