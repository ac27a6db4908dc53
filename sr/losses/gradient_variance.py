"""A distance of the variances that gradients have in patches."""

import torch.nn.functional as F
from torch import Tensor, nn

from sr.losses.comparable import comparable
from sr.ops.sobel import sobel

LUMA = (0.2989, 0.5870, 0.1140)  # ITU-R BT.601


class GradientVarianceLoss(nn.Module):
    """mean (v_x(sr) - v_x(hr))^2 + mean (v_y(sr) - v_y(hr))^2

    v are the variances (divided by n^2 - 1) of Sobel's derivatives of the gray image in patches of n x n pixels that do
    not overlap; means are over patches. A blurred patch has a lower variance than a sharp one, wherever its edges are.

    Source: Abrahamyan et al., "Gradient Variance Loss for Structure-Enhanced Image Super-Resolution", ICASSP 2022. Gray
    is BT.601's luma of three channels, and the mean of any other number. Sobel's derivatives are not divided by 8, as
    in the paper. Pixels beyond the border repeat it; rows and columns that fill no patch, at the bottom and on the
    right, are not compared.

    Shapes: `sr` and `hr` (N, C, H, W) in [0, 1], H and W at least `patch_size`; returns a scalar of at least float32,
    which is 0 for equal images.

    Args:
        patch_size: the side n of a patch in pixels, 2 or more.

    Raises:
        ValueError: `patch_size` is below 2, images are smaller than a patch, or shapes differ.
    """

    def __init__(self, *, patch_size: int = 8) -> None:
        super().__init__()
        if patch_size < 2:
            raise ValueError(f"patch_size={patch_size} must be at least 2: one pixel has no variance")
        self.patch_size = patch_size

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        sr, hr = comparable(sr, hr)
        if min(sr.shape[-2:]) < self.patch_size:
            height, width = sr.shape[-2:]
            raise ValueError(
                f"images of {height} x {width} pixels are smaller than patch_size={self.patch_size}; "
                "set a smaller patch_size"
            )
        pairs = zip(self._variances(sr), self._variances(hr), strict=True)
        along_x, along_y = (F.mse_loss(mine, wanted) for mine, wanted in pairs)
        return along_x + along_y

    def _variances(self, images: Tensor) -> list[Tensor]:
        """(N, C, H, W) -> those along x and along y, each (N, 1, H / n, W / n)."""
        derivatives = sobel(F.pad(_gray(images), (1, 1, 1, 1), mode="replicate"))
        return [_variance_in_patches(each, side=self.patch_size) for each in derivatives]


def _variance_in_patches(images: Tensor, *, side: int) -> Tensor:
    rows, columns = (length // side for length in images.shape[-2:])
    whole = images[..., : rows * side, : columns * side]
    return whole.reshape(*images.shape[:-2], rows, side, columns, side).var(dim=(-3, -1))


def _gray(images: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, 1, H, W)."""
    if images.shape[1] != len(LUMA):
        return images.mean(dim=1, keepdim=True)
    return (images * images.new_tensor(LUMA).view(1, -1, 1, 1)).sum(dim=1, keepdim=True)
