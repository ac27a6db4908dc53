"""The Gaussian and the Laplacian pyramid of Burt and Adelson."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from sr.ops.shifted_sum import shifted_sum

BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
SMALLEST = 3  # the least side in pixels that can be mirrored at its border


def reduced(images: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, ceil(H / 2), ceil(W / 2)): every other pixel after a binomial low-pass of 5 x 5 taps.

    Source: Burt and Adelson, "The Laplacian Pyramid as a Compact Image Code", 1983, with a = 3/8. Borders are mirrored.
    """
    return _smoothed(images)[..., ::2, ::2]


def expanded(images: Tensor, *, height: int, width: int) -> Tensor:
    """(N, C, ceil(height / 2), ceil(width / 2)) -> (N, C, height, width): interpolated with the same low-pass."""
    spread = images.new_zeros(*images.shape[:-2], height, width)
    spread[..., ::2, ::2] = images
    return 4 * _smoothed(spread)


def laplacian_pyramid(images: Tensor, *, levels: int) -> list[Tensor]:
    """What each of `levels` reductions takes away, the finest first, and at the end what the last one leaves."""
    pyramid = []
    for _ in range(levels):
        coarse = reduced(images)
        pyramid.append(images - expanded(coarse, height=images.shape[-2], width=images.shape[-1]))
        images = coarse
    return [*pyramid, images]


def check_levels(levels: int, *, size: Sequence[int]) -> None:
    """Refuse images of `size` (height, width) that are too small to be reduced so many times.

    Raises:
        ValueError: they are.
    """
    height, width = size
    needed = (SMALLEST - 1) * 2 ** (levels - 1) + 1
    if min(height, width) < needed:
        raise ValueError(
            f"levels={levels} needs images of at least {needed} x {needed} pixels and got {height} x {width}; "
            "set fewer levels, or take larger patches (data.hr_patch_size)"
        )


def _smoothed(images: Tensor) -> Tensor:
    padded = F.pad(images, (2, 2, 2, 2), mode="reflect")
    return shifted_sum(shifted_sum(padded, BINOMIAL, dim=2), BINOMIAL, dim=3)
